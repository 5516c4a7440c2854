#pragma once

#include "lathe/base/tensor.h"

namespace lathe::ops {

/// y = x W^T + b: x (..., in), weight (out, in), bias (out) or undefined -> (..., out).
///
/// Computes in the dtype of x. The weight may be kept wider (float32 master weights under bfloat16
/// compute): it is rounded for the product, and its gradient arrives in the weight's own dtype. A
/// quantised weight (quantized.h) is decoded for each product, and has no gradient.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace lathe::ops
