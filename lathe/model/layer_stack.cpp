#include "lathe/model/layer_stack.h"

#include "lathe/model/segments.h"

namespace lathe {
namespace {

/// Writes the new positions (B, T, K, E) behind those that the cache holds.
void append(Tensor& cache, const Tensor& x, const std::vector<int64_t>& lengths) {
  const Tensor new_slots = x.transpose(1, 2);  // (B, K, T, E)
  const int64_t length = lengths.front();
  if (std::ranges::all_of(lengths, [&](int64_t other) { return other == length; })) {
    cache.narrow(2, length, x.size(1)).copy_(new_slots);
    return;
  }
  for (int64_t row = 0; row < x.size(0); ++row)
    cache[row].narrow(1, lengths[static_cast<size_t>(row)], x.size(1)).copy_(new_slots[row]);
}

}  // namespace

Places places(const ModelInput& input, const KvCache* cache) {
  const Tensor& ids = input.input_ids;
  const Tensor steps = at::arange(ids.size(1), ids.options()).expand_as(ids);
  Places at{.positions = input.position_ids.defined() ? input.position_ids : steps, .first = {}};
  bool empty = true;
  if (cache != nullptr) {
    empty = std::all_of(cache->lengths.begin(), cache->lengths.end(),
                        [](int64_t length) { return length == 0; });
    at.positions = steps + at::tensor(cache->lengths, ids.options()).unsqueeze(1);
  }
  // An empty cache adds nothing to see: the new positions attend to themselves as in training.
  if (empty)
    at.first = input.segment_ids.defined() ? segment_starts(input.segment_ids.cpu())
                                           : at::zeros(ids.sizes(), at::kLong);
  return at;
}

RotaryAngles rotary_angles(const Rotary& rotary, const ModelInput& input, const Places& at,
                           at::ScalarType dtype) {
  Tensor lengths;
  if (rotary.depends_on_length()) {
    if (input.segment_ids.defined())
      lengths = segment_lengths(input.segment_ids.cpu(), at.positions.cpu());
    else if (input.counts.empty())
      lengths = at.positions.amax(1, true) + 1;
    else
      lengths = at.positions.narrow(1, 0, 1) +
                at::tensor(input.counts, at.positions.options()).unsqueeze(1);
  }
  return rotary.angles(at.positions, lengths, dtype == at::kDouble ? at::kDouble : at::kFloat);
}

ModelOutput with_current_angles(const Rotary& rotary, const ModelInput& input, KvCache* cache,
                                const ForwardPass& pass) {
  if (cache == nullptr || !cache->tokens.defined()) return pass(input, cache);
  const Tensor ids = input.input_ids.cpu();
  std::vector<int64_t> before = cache->lengths;
  std::vector<int64_t> after;
  bool outgrown = false;
  for (size_t row = 0; row < before.size(); ++row) {
    after.push_back(before[row] + (input.counts.empty() ? ids.size(1) : input.counts.at(row)));
    const auto r = static_cast<int64_t>(row);
    cache->tokens[r].narrow(0, before[row], ids.size(1)).copy_(ids[r]);
    const int64_t regime = rotary.regime(after[row]);
    outgrown = outgrown || (before[row] > 0 && cache->regimes[row] != regime);
    cache->regimes[row] = regime;
  }
  if (!outgrown) return pass(input, cache);
  // The keys in the cache were rotated as in shorter texts, so everything is read again.
  const int64_t longest = *std::max_element(after.begin(), after.end());
  cache->lengths.assign(before.size(), 0);
  const Tensor all = cache->tokens.narrow(1, 0, longest).to(input.input_ids.device());
  ModelInput again{all, {}, {}, after};
  again.adapters = input.adapters;
  ModelOutput out = pass(again, cache);
  const Tensor places = at::tensor(before, input.input_ids.options()).unsqueeze(1) +
                        at::arange(ids.size(1), input.input_ids.options());  // (B, T)
  const Tensor index =
      places.clamp_max(longest - 1).unsqueeze(2).expand({-1, -1, out.hidden.size(2)});
  return {out.hidden.gather(1, index), {}};
}

Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, const LayerInput::Sight& sight,
              KvCache* cache, int64_t layer, ops::Scoring scoring) {
  const auto joined = [&](const Tensor& mixed) {
    return mixed.reshape({q.size(0), q.size(1), q.size(2) * q.size(3)});
  };
  if (cache == nullptr) return joined(ops::attention(q, k, v, sight.first, scoring));
  KvCache::Layer& cached = cache->layers[static_cast<size_t>(layer)];
  append(cached.k, k, cache->lengths);
  append(cached.v, v, cache->lengths);
  if (sight.first.defined()) return joined(ops::attention(q, k, v, sight.first, scoring));
  return joined(
      ops::cached_attention(q, cached.k, cached.v, cache->lengths, scoring, sight.window));
}

}  // namespace lathe
