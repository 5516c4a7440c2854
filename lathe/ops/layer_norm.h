#pragma once

#include "lathe/base/tensor.h"

namespace lathe::ops {

/// Layer normalisation (Ba et al. 2016, arXiv:1607.06450) over the last dimension:
/// y = (x - mean(x)) / sqrt(var(x) + eps) * weight + bias, the variance being that of the
/// population. x (..., D), weight (D), bias (D) or undefined -> (..., D) in the dtype of x; sums in
/// float32, in float64 for float64. Weights may be wider than x.
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);

}  // namespace lathe::ops
