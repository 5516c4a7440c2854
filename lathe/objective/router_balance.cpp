#include "lathe/objective/router_balance.h"

namespace lathe {

Tensor load_balancing_loss(const std::vector<Tensor>& router_logits, int64_t chosen,
                           const Tensor& counted) {
  const int64_t experts = router_logits.at(0).size(1);
  const at::ScalarType dtype =
      router_logits[0].scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  Tensor busy, likely, rows;  // (experts), (experts), scalar
  for (const Tensor& logits : router_logits) {
    const Tensor weight = counted.defined()
                              ? counted.to(dtype).unsqueeze(1)
                              : at::ones({logits.size(0), 1}, logits.options().dtype(dtype));
    const Tensor probabilities = at::softmax(logits, 1, dtype);  // (N, experts)
    const Tensor best = std::get<1>(probabilities.topk(chosen, 1));
    const Tensor picks = at::zeros_like(probabilities).scatter(1, best, 1);
    const Tensor b = (picks * weight).sum(0);
    const Tensor l = (probabilities * weight).sum(0);
    busy = busy.defined() ? busy + b : b;
    likely = likely.defined() ? likely + l : l;
    rows = rows.defined() ? rows + weight.sum() : weight.sum();
  }
  return static_cast<double>(experts) * ((busy / rows) * (likely / rows)).sum();
}

std::optional<Term> router_balance(const ModelConfig& config, const ModelOutput& out,
                                   const Batch& batch) {
  const bool wanted = config.output_router_logits.value_or(false) &&
                      config.router_aux_loss_coef > 0 && config.num_experts_per_tok;
  if (out.router_logits.empty() || !wanted || !at::GradMode::is_enabled()) return std::nullopt;
  const Tensor counted =
      batch.segment_ids.defined() ? batch.segment_ids.reshape(-1).ge(0) : Tensor();
  const Tensor loss = load_balancing_loss(out.router_logits, *config.num_experts_per_tok, counted);
  return Term{router_aux, config.router_aux_loss_coef * loss};
}

}  // namespace lathe
