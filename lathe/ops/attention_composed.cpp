#include "lathe/ops/attention_composed.h"

#include <ATen/SDPBackend.h>

#include <limits>

#include "lathe/ops/cpu/for_dtype.h"

namespace lathe::ops {
namespace {

/// Which keys each query sees, (B, 1, T, T) bool.
Tensor mask_of(const Tensor& first, const at::Device& device) {
  const Tensor key = at::arange(first.size(1), first.options().device(device)).view({1, 1, 1, -1});
  const Tensor query = key.view({1, 1, -1, 1});
  return at::logical_and(key <= query, key >= first.to(device).unsqueeze(1).unsqueeze(3));
}

/// q (B, H, T, D); k, v (B, H/G, S, D); mask (B, 1, T, S), or none for causal attention ->
/// (B, T, H, D).
Tensor masked(const Tensor& q, const Tensor& k, const Tensor& v, const std::optional<Tensor>& mask,
              Scoring scoring) {
  const bool grouped = q.size(1) != k.size(1);
  if (scoring.softcap <= 0)
    return at::scaled_dot_product_attention(q, k, v, mask, 0.0, !mask, scoring.scale, grouped)
        .transpose(1, 2);
  const int64_t group = q.size(1) / k.size(1);
  const Tensor all_k = grouped ? k.repeat_interleave(group, 1) : k;
  const Tensor all_v = grouped ? v.repeat_interleave(group, 1) : v;
  const Tensor raw = at::matmul(q, all_k.transpose(2, 3)) * (scoring.scale / scoring.softcap);
  const Tensor seen =
      mask ? *mask : at::ones({q.size(2), k.size(2)}, q.options().dtype(at::kBool)).tril();
  const Tensor capped = (at::tanh(raw) * scoring.softcap).masked_fill(~seen, -INFINITY);
  const at::ScalarType sums = cpu::accumulate_dtype(q.scalar_type());
  return at::matmul(at::softmax(capped, -1, sums).to(q.scalar_type()), all_v).transpose(1, 2);
}

/// The texts of a batch one after the other, as flash attention for sequences of any length wants
/// them.
struct Texts {
  std::vector<int32_t> starts;  // of each text among all positions, and the end of the last
  int64_t longest = 0;
  int64_t behind = 0;  // how many keys before its own a query sees at most
};

/// What `first` (B, T) says, if it is segments with or without one window.
std::optional<Texts> texts_of(const Tensor& first) {
  const int64_t rows = first.size(0), positions = first.size(1);
  if (first.numel() >= std::numeric_limits<int32_t>::max()) return std::nullopt;
  const int64_t* seen = first.const_data_ptr<int64_t>();
  Texts texts;
  const auto begin = [&](int64_t at) {
    if (!texts.starts.empty()) texts.longest = std::max(texts.longest, at - texts.starts.back());
    texts.starts.push_back(static_cast<int32_t>(at));
  };
  for (int64_t at = 0; at < first.numel(); ++at) {
    const int64_t t = at % positions;
    texts.behind = std::max(texts.behind, t - seen[at]);
    if (seen[at] == t) begin(at);
  }
  begin(rows * positions);
  size_t text = 0;
  for (int64_t at = 0; at < first.numel(); ++at) {
    if (at == texts.starts[text + 1]) ++text;
    const int64_t t = at % positions;
    const int64_t start = texts.starts[text] - (at - t);
    if (seen[at] != std::max(start, t - texts.behind)) return std::nullopt;
  }
  return texts;
}

/// Whether libtorch's flash attention takes these, (B, T, H, D) each.
bool has_flash(const Tensor& q, const Tensor& k, const Tensor& v, Scoring scoring) {
  const bool half = q.scalar_type() == at::kBFloat16 || q.scalar_type() == at::kHalf;
  if (!q.is_cuda() || !half || scoring.softcap > 0 || q.size(3) % 8 != 0 || q.size(3) > 256)
    return false;
  // The choice of cuDNN's kernel says the same of the processor: compute capability 8 or newer.
  const auto choice = static_cast<at::SDPBackend>(at::_fused_sdp_choice(
      q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), {}, 0.0, true, scoring.scale, true));
  return choice == at::SDPBackend::flash_attention || choice == at::SDPBackend::cudnn_attention;
}

Tensor flash(const Tensor& q, const Tensor& k, const Tensor& v, const Texts& texts,
             Scoring scoring) {
  // From memory that is not pinned the copy is staged before the call returns, so nothing waits.
  const Tensor starts = at::tensor(texts.starts, at::kInt).to(q.device(), /*non_blocking=*/true);
  const auto rows = [](const Tensor& x) { return x.reshape({-1, x.size(2), x.size(3)}); };
  constexpr int64_t unlimited = -1;
  const int64_t left = texts.behind + 1 < texts.longest ? texts.behind : unlimited;
  const auto results = at::_flash_attention_forward(
      rows(q), rows(k), rows(v), starts, starts, texts.longest, texts.longest, /*dropout_p=*/0.0,
      /*is_causal=*/true, /*return_debug_mask=*/false, scoring.scale, left,
      /*window_size_right=*/0);
  return std::get<0>(results).view(q.sizes());
}

}  // namespace

Tensor composed_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& first,
                          Scoring scoring) {
  if (has_flash(q, k, v, scoring))
    if (const auto texts = texts_of(first.contiguous())) return flash(q, k, v, *texts, scoring);
  const bool one_segment = first.max().item<int64_t>() == 0;
  const std::optional<Tensor> mask =
      one_segment ? std::nullopt : std::optional<Tensor>(mask_of(first, q.device()));
  return masked(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), mask, scoring);
}

Tensor composed_cached_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                 const std::vector<int64_t>& lengths, Scoring scoring,
                                 int64_t window) {
  const int64_t count = q.size(1);
  const int64_t longest = *std::max_element(lengths.begin(), lengths.end()) + count;
  const Tensor limits = at::tensor(lengths, q.options().dtype(at::kLong)).view({-1, 1, 1, 1}) +
                        at::arange(count, q.options().dtype(at::kLong)).view({1, 1, -1, 1});
  const Tensor key = at::arange(longest, limits.options()).view({1, 1, 1, -1});
  Tensor mask = key <= limits;
  if (window > 0) mask = at::logical_and(mask, key > limits - window);
  return masked(q.transpose(1, 2), k.narrow(2, 0, longest), v.narrow(2, 0, longest), mask, scoring);
}

}  // namespace lathe::ops
