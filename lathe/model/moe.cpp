#include "lathe/model/moe.h"

#include "lathe/ops/experts.h"

namespace lathe {

Expert::Expert(const ModelConfig& c)
    : Mlp(c, c.moe_intermediate_size.value_or(c.intermediate_size)),
      short_names(c.block_sparse_moe) {}

SparseMoe::SparseMoe(const ModelConfig& c)
    : gate(c.hidden_size, c.num_experts, false),
      chosen(*c.num_experts_per_tok),
      normalised(c.norm_topk_prob) {
  experts.reserve(static_cast<size_t>(c.num_experts));
  for (int64_t expert = 0; expert < c.num_experts; ++expert) experts.emplace_back(c);
}

Tensor SparseMoe::router_logits(const Tensor& x) const {
  return gate(x.reshape({-1, x.size(-1)}));
}

Tensor SparseMoe::operator()(const Tensor& x, const Tensor& logits) const {
  const at::ScalarType wide = logits.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  auto [weights, which] = at::softmax(logits, 1, wide).topk(chosen, 1);  // (N, K) each
  if (normalised) weights = weights / weights.sum(1, true);
  const ops::ExpertOrder order = ops::expert_order(which, static_cast<int64_t>(experts.size()));
  // One slice an expert, all cut in one operation: its gradient is put together in one, too.
  std::vector<Tensor> slices =
      ops::to_experts(x.reshape({-1, x.size(-1)}), order).split_with_sizes(order.counts);
  std::vector<Tensor> results;
  for (size_t e = 0; e < experts.size(); ++e)
    if (order.counts[e] > 0) results.push_back(experts[e](slices[e]));
  return ops::from_experts(at::cat(results), weights, order).view(x.sizes());
}

Kept SparseMoe::kept() const {
  const int64_t width = gate.weight.size(1), count = gate.weight.size(0);
  // The router's input, logits and probabilities; what the chosen experts keep, and their results.
  return Kept{width + count, count} + experts.at(0).kept() * chosen + Kept{0, width} * chosen;
}

}  // namespace lathe
