// Attention composed of libtorch's operations, for what has no kernels of our own: other devices,
// and other dtypes. Letters as in attention.h.
#pragma once

#include "lathe/ops/attention.h"

namespace lathe::ops {

/// As `attention`, with its gradient.
Tensor composed_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& first,
                          Scoring scoring);

/// As `cached_attention`.
Tensor composed_cached_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                 const std::vector<int64_t>& lengths, Scoring scoring,
                                 int64_t window);

}  // namespace lathe::ops
