// How rows reach their experts and come back. Letters: N rows, K experts a row, E experts, D
// elements a row.
#pragma once

#include "lathe/base/tensor.h"

namespace lathe::ops {

/// Which expert each row chose, K different ones a row, and how the N*K choices lie when they are
/// sorted by expert, so that an expert's work is one slice.
struct ExpertOrder {
  Tensor choices;               // (N*K) int64: the choice n*K + k at each sorted place
  Tensor places;                // (N*K) int64: the sorted place of each choice; the inverse
  std::vector<int64_t> counts;  // (E): rows of each expert
};

/// The order of `chosen` (N, K) int64 in [0, experts). Rows keep their order within an expert.
ExpertOrder expert_order(const Tensor& chosen, int64_t experts);

/// x (N, D) -> (N*K, D): each row once for each of its experts, sorted by expert.
Tensor to_experts(const Tensor& x, const ExpertOrder& order);

/// What `to_experts` handed out, y (N*K, D), by its weights (N, K) in float32 or wider: the
/// weighted sum of each row's K results, added up in the dtype of the weights -> (N, D) in that of
/// y.
Tensor from_experts(const Tensor& y, const Tensor& weights, const ExpertOrder& order);

}  // namespace lathe::ops
