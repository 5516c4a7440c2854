#pragma once

#include "lathe/base/tensor.h"

namespace lathe::ops {

/// Root mean square normalisation (Zhang & Sennrich 2019, arXiv:1910.07467):
/// y = x / sqrt(mean(x^2) + eps) * (weight + offset) over the last dimension. x (..., D), weight
/// (D)
/// -> (..., D) in the dtype of x; sums in float32, in float64 for float64.
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps, double offset = 0);

}  // namespace lathe::ops
