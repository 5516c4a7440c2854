#include "lathe/ops/attention.h"

#include "lathe/base/autograd.h"
#include "lathe/ops/attention_composed.h"
#include "lathe/ops/cpu/for_dtype.h"

namespace lathe::ops {
namespace {

using cpu::Accumulate;
using cpu::elements;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t queries_a_block = 128;
constexpr int64_t keys_apart = 32;  // blocks begin at: libraries make code for each number of keys

/// One block of queries, rows [begin, end), and the keys [key, end) that any of them may see.
struct Block {
  int64_t begin, end, key;
  int64_t queries() const { return end - begin; }
  int64_t keys() const { return end - key; }
};

/// What both passes need to know. Queries lie as (N, T*G, D), keys and values as (N, T, D), with
/// N = B * H/G: the G queries of one position are neighbours, and a block of positions is a slice.
struct Layout {
  int64_t rows, positions, key_heads, group, width;

  Layout(const Tensor& q, const Tensor& k)
      : rows(q.size(0)),
        positions(q.size(1)),
        key_heads(k.size(2)),
        group(q.size(2) / k.size(2)),
        width(q.size(3)) {}

  Tensor queries(const Tensor& q) const {
    return q.reshape({rows, positions, key_heads, group, width})
        .permute({0, 2, 1, 3, 4})
        .reshape({rows * key_heads, positions * group, width});
  }
  Tensor keys(const Tensor& k) const {
    return k.permute({0, 2, 1, 3}).reshape({rows * key_heads, positions, width});
  }
  Tensor from_queries(const Tensor& x) const {
    return x.view({rows, key_heads, positions, group, width})
        .permute({0, 2, 1, 3, 4})
        .reshape({rows, positions, key_heads * group, width})
        .contiguous();  // where no queries are grouped, it would be a view
  }
  Tensor from_keys(const Tensor& x) const {
    return x.view({rows, key_heads, positions, width}).permute({0, 2, 1, 3}).contiguous();
  }

  std::vector<Block> blocks(const Tensor& first) const {
    std::vector<Block> list;
    for (int64_t begin = 0; begin < positions; begin += queries_a_block) {
      const int64_t end = std::min(begin + queries_a_block, positions);
      const int64_t key = first.narrow(1, begin, end - begin).min().item<int64_t>();
      list.push_back({begin, end, key - key % keys_apart});
    }
    return list;
  }
};

Tensor query_slice(const Tensor& x, const Layout& at, const Block& block) {
  return x.narrow(1, block.begin * at.group, block.queries() * at.group);
}

/// Keys that a query sees, [first, end).
struct Seen {
  int64_t first, end;
};

/// What `first` (B, T) lets position t of row b see.
auto seen_from(const Tensor& first) {
  return [key = first.const_data_ptr<int64_t>(), positions = first.size(1)](int64_t b, int64_t t) {
    return Seen{key[b * positions + t], t + 1};
  };
}

/// Calls `f(row, n, query, lo, hi)` in parallel for every query of the block: its row among the
/// block's scores, its place in (N, T*G), and the keys that `seen(b, t)` lets it see, counted from
/// block.key.
template <class Sees, class F>
void for_queries(const Layout& at, const Block& block, Sees seen, F&& f) {
  const int64_t block_rows = block.queries() * at.group;
  at::parallel_for(0, at.rows * at.key_heads * block_rows, 16, [&](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; ++row) {
      const int64_t n = row / block_rows;
      const int64_t in_block = row % block_rows;
      const int64_t t = block.begin + in_block / at.group;
      const auto [lo, hi] = seen(n / at.key_heads, t);
      f(row, n * at.positions * at.group + block.begin * at.group + in_block, lo - block.key,
        hi - block.key);
    }
  });
}

struct AttentionFunction : torch::autograd::Function<AttentionFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& q_in, const Tensor& k_in,
                        const Tensor& v_in, const Tensor& first, double scale, double softcap) {
    const Layout at(q_in, k_in);
    const Tensor q = at.queries(q_in);
    const Tensor k = at.keys(k_in);
    const Tensor v = at.keys(v_in);
    const Tensor out = at::empty_like(q);
    const Tensor log_sums = at::empty({q.size(0), q.size(1)},
                                      q.options().dtype(cpu::accumulate_dtype(q.scalar_type())));
    for (const Block& block : at.blocks(first)) {
      const Tensor seen_k = k.narrow(1, block.key, block.keys());
      const Tensor seen_v = v.narrow(1, block.key, block.keys());
      const Tensor scores = at::bmm(query_slice(q, at, block), seen_k.transpose(1, 2));
      cpu::for_dtype(q, [&]<class T>(const cpu::Kernels<T>& kernels, T) {
        for_queries(at, block, seen_from(first),
                    [&](int64_t row, int64_t query, int64_t lo, int64_t hi) {
                      elements<Accumulate<T>>(log_sums)[query] = kernels.softmax(
                          elements<T>(scores) + row * block.keys(), block.keys(), lo, hi,
                          static_cast<Accumulate<T>>(scale), static_cast<Accumulate<T>>(softcap));
                    });
      });
      query_slice(out, at, block).copy_(at::bmm(scores, seen_v));
    }
    // The result is kept as it is returned: the layer after it keeps the same memory.
    Tensor result = at.from_queries(out);
    ctx->save_for_backward({q, k, v, result, log_sums, first});
    ctx->saved_data["scale"] = scale;
    ctx->saved_data["softcap"] = softcap;
    ctx->saved_data["key_heads"] = at.key_heads;
    return result;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &q = saved[0], &k = saved[1], &v = saved[2];
    const Tensor &log_sums = saved[4], &first = saved[5];
    const double scale = ctx->saved_data["scale"].toDouble();
    const double softcap = ctx->saved_data["softcap"].toDouble();
    const int64_t key_heads = ctx->saved_data["key_heads"].toInt();
    const Layout at(gradients[0], gradients[0].narrow(2, 0, key_heads));
    const Tensor out = at.queries(saved[3]);
    const Tensor dout = at.queries(gradients[0]);
    const Tensor dq = at::empty_like(q);
    // Keys are seen by several blocks: their gradients are summed in the wider type.
    const Tensor dk = at::zeros_like(k, k.options().dtype(log_sums.scalar_type()));
    const Tensor dv = at::zeros_like(dk);
    for (const Block& block : at.blocks(first)) {
      const Tensor seen_k = k.narrow(1, block.key, block.keys());
      const Tensor seen_v = v.narrow(1, block.key, block.keys());
      const Tensor block_q = query_slice(q, at, block);
      const Tensor block_dout = query_slice(dout, at, block);
      const Tensor probs = at::bmm(block_q, seen_k.transpose(1, 2));       // scores at first
      const Tensor dscores = at::bmm(block_dout, seen_v.transpose(1, 2));  // dprobs at first
      cpu::for_dtype(q, [&]<class T>(const cpu::Kernels<T>& kernels, T) {
        using A = Accumulate<T>;
        for_queries(
            at, block, seen_from(first), [&](int64_t row, int64_t query, int64_t lo, int64_t hi) {
              const A delta = kernels.dot(elements<T>(dout) + query * at.width,
                                          elements<T>(out) + query * at.width, at.width);
              kernels.softmax_backward(elements<T>(probs) + row * block.keys(),
                                       elements<T>(dscores) + row * block.keys(), block.keys(), lo,
                                       hi, static_cast<A>(scale), static_cast<A>(softcap),
                                       elements<A>(log_sums)[query], delta);
            });
      });
      dv.narrow(1, block.key, block.keys()).add_(at::bmm(probs.transpose(1, 2), block_dout));
      dk.narrow(1, block.key, block.keys()).add_(at::bmm(dscores.transpose(1, 2), block_q));
      query_slice(dq, at, block).copy_(at::bmm(dscores, seen_k));
    }
    const at::ScalarType dtype = q.scalar_type();
    return {at.from_queries(dq),
            at.from_keys(dk.to(dtype)),
            at.from_keys(dv.to(dtype)),
            Tensor(),
            Tensor(),
            Tensor()};
  }
};

/// The cache as the products read it: (B*H/G, S, D).
Tensor slots_of(const Tensor& cache) {
  return cache.view({-1, cache.size(2), cache.size(3)});
}

/// As `cached_attention`, with a product of matrices for a block of queries.
Tensor attention_by_products(const Tensor& q_in, const Tensor& k, const Tensor& v,
                             const std::vector<int64_t>& lengths, Scoring scoring, int64_t window) {
  const Layout at(q_in, k.transpose(1, 2));
  const Tensor q = at.queries(q_in);
  const Tensor out = at::empty_like(q);
  const auto seen = [&](int64_t b, int64_t t) {
    const int64_t end = lengths[static_cast<size_t>(b)] + t + 1;
    return Seen{window > 0 ? std::max<int64_t>(0, end - window) : 0, end};
  };
  const auto [shortest, longest] = std::ranges::minmax_element(lengths);
  for (int64_t begin = 0; begin < at.positions; begin += queries_a_block) {
    const int64_t end = std::min(begin + queries_a_block, at.positions);
    const int64_t first = seen(shortest - lengths.begin(), begin).first / keys_apart * keys_apart;
    const int64_t keys = (*longest + end - first + keys_apart - 1) / keys_apart * keys_apart;
    const Block block{begin, end, first};
    const auto slots = [&](const Tensor& cache) {
      return slots_of(cache).narrow(1, first, std::min(keys, cache.size(2) - first));
    };
    const Tensor scores = at::bmm(query_slice(q, at, block), slots(k).transpose(1, 2));
    cpu::for_dtype(q, [&]<class T>(const cpu::Kernels<T>& kernels, T) {
      for_queries(at, block, seen, [&](int64_t row, int64_t /*query*/, int64_t lo, int64_t hi) {
        kernels.softmax(elements<T>(scores) + row * scores.size(2), scores.size(2), lo, hi,
                        static_cast<Accumulate<T>>(scoring.scale),
                        static_cast<Accumulate<T>>(scoring.softcap));
      });
    });
    query_slice(out, at, block).copy_(at::bmm(scores, slots(v)));
  }
  return at.from_queries(out);
}

}  // namespace

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& first,
                 Scoring scoring) {
  require(k.sizes() == v.sizes() && q.size(2) % k.size(2) == 0,
          "attention: {} query heads over keys {} and values {}", q.size(2), k.sizes(), v.sizes());
  if (cpu::handles(q))
    return AttentionFunction::apply(q, k, v, first.contiguous(), scoring.scale, scoring.softcap);
  return composed_attention(q, k, v, first, scoring);
}

Tensor cached_attention(const Tensor& q_in, const Tensor& k, const Tensor& v,
                        const std::vector<int64_t>& lengths, Scoring scoring, int64_t window) {
  const Tensor q = q_in.contiguous();
  const int64_t rows = q.size(0), count = q.size(1), heads = q.size(2), width = q.size(3);
  const int64_t key_heads = k.size(1), slots = k.size(2);
  const int64_t longest = *std::max_element(lengths.begin(), lengths.end()) + count;
  require(longest <= slots, "attention: {} positions do not fit a cache of {}", longest, slots);
  if (!cpu::handles(q)) return composed_cached_attention(q, k, v, lengths, scoring, window);
  require(k.is_contiguous() && v.is_contiguous(), "attention: expected a contiguous cache");
  constexpr int64_t worth_products = 8;  // positions; for fewer reading the keys is the work
  if (count >= worth_products) return attention_by_products(q, k, v, lengths, scoring, window);
  const Tensor out = at::empty_like(q);
  cpu::for_dtype(q, [&]<class T>(const cpu::Kernels<T>& kernels, T) {
    using A = Accumulate<T>;
    at::parallel_for(0, rows * count * heads, 1, [&](int64_t begin, int64_t end) {
      std::vector<A> scratch(static_cast<size_t>(longest + width));
      for (int64_t i = begin; i < end; ++i) {
        const int64_t head = i % heads;
        const int64_t position = i / heads % count;
        const int64_t row = i / heads / count;
        const int64_t end = lengths[static_cast<size_t>(row)] + position + 1;
        const int64_t seen = window > 0 ? std::min(window, end) : end;
        const int64_t first_slot = (row * key_heads + head / (heads / key_heads)) * slots;
        const int64_t at = (first_slot + end - seen) * width;
        kernels.attend(elements<T>(q) + i * width, elements<T>(k) + at, elements<T>(v) + at,
                       elements<T>(out) + i * width, scratch.data(), seen, width,
                       static_cast<A>(scoring.scale), static_cast<A>(scoring.softcap));
      }
    });
  });
  return out;
}

}  // namespace lathe::ops
