#pragma once

#include "lathe/base/tensor.h"

namespace lathe::ops {

/// Sum over rows of -log softmax(x W^T)[target], as one operation: the logits exist for a chunk of
/// rows at a time only. x (N, D), weight (V, D), targets (N) int64 in [0, V) -> scalar float64.
/// A `softcap` above 0 makes the logits softcap * tanh(x W^T / softcap), as in Gemma 2.
///
/// The gradients of x and weight are computed in the forward pass, chunk by chunk, while the logits
/// are there (Hsu et al. 2024, arXiv:2410.10989, section 3.3), and scaled in the backward pass.
/// Sums are kept in float32 (float64 for float64); the weight may be wider than x, as in `linear`.
/// A caller that knows the `gradient` which the sum will have saves a buffer of the weight's size:
/// what the weight's gradient gets is added to it at once. It must then call the backward pass.
Tensor linear_cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& targets,
                            double softcap = 0, std::optional<double> gradient = {});

/// -log softmax(logits)[target] of each row, without gradient. logits (N, V) are overwritten.
/// targets (N) int64 -> (N) float32, or float64 for float64.
Tensor cross_entropy_rows(const Tensor& logits, const Tensor& targets);

}  // namespace lathe::ops
