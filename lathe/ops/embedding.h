#pragma once

#include "lathe/base/tensor.h"

namespace lathe::ops {

/// Rows of `weight` (V, D) by `ids` (...) int64 -> (..., D) in `dtype`. The gradient arrives in the
/// weight's own dtype and is summed in it.
Tensor embedding(const Tensor& ids, const Tensor& weight, at::ScalarType dtype);

}  // namespace lathe::ops
