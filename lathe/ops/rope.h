#pragma once

#include "lathe/base/tensor.h"

namespace lathe::ops {

/// Rotary position embedding (Su et al. 2021, arXiv:2104.09864), in the half-split order of Hugging
/// Face models: the pair (x[i], x[i + D/2]) of every head is rotated by the angle of its position.
/// x (B, T, H, D); cos and sin (B, T, D/2) in float32, or float64 with a float64 x -> (B, T, H, D).
/// Fewer angles, R/2, rotate the first R elements of each head and leave the others as they are.
Tensor rope(const Tensor& x, const Tensor& cos, const Tensor& sin);

}  // namespace lathe::ops
