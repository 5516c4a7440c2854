#pragma once

#include <optional>

#include "lathe/objective/objective.h"

namespace lathe {

/// The name of the term that keeps the experts of a mixture equally busy.
inline constexpr const char* router_aux = "router_aux";

/// That term for one batch, times the model's router_aux_loss_coef; its weight is 1 a batch.
/// Nothing for models without experts or whose output_router_logits is not set, as in transformers,
/// and nothing in evaluation, which measures the text alone.
std::optional<Term> router_balance(const ModelConfig& config, const ModelOutput& out,
                                   const Batch& batch);

/// experts * sum over experts of (share of the tokens that chose it) * (mean probability of it),
/// over all layers at once (Fedus et al. 2021, arXiv:2101.03961, equations 4 to 6, with shares of
/// the `chosen` best; `load_balancing_loss_func` of transformers). Each of `router_logits` is (N,
/// experts); `counted` (N) bool says which rows are no padding, undefined: all.
Tensor load_balancing_loss(const std::vector<Tensor>& router_logits, int64_t chosen,
                           const Tensor& counted);

}  // namespace lathe
