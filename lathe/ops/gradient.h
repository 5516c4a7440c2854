#pragma once

#include "lathe/base/tensor.h"

namespace lathe::ops {

/// Whether the weight has a buffer that backward passes add its gradient to.
bool holds_gradient(const Tensor& weight);

/// What a backward pass returns for a weight whose gradient is `scale * gradient`. A weight that
/// holds a gradient already gets this one added to it, and nothing is returned; otherwise it is the
/// gradient in the weight's dtype. So a training step keeps one buffer for each weight's gradient,
/// and the product that makes it may stay in the narrower compute dtype.
Tensor accumulate_gradient(const Tensor& weight, const Tensor& gradient, double scale = 1);

/// The same where only some rows of the weight (V, D) have a gradient: `gradient` (N, D) belongs to
/// the rows `ids` (N) int64, one of which may be there several times.
Tensor accumulate_row_gradient(const Tensor& weight, const Tensor& ids, const Tensor& gradient);

/// a^T b, the form in which the gradient of a matrix comes: a (N, P), b (N, Q) -> (P, Q). GPUs
/// write the sums in the `wide` dtype of the weight; others round them to the dtype of a and b.
Tensor product(const Tensor& a, const Tensor& b, at::ScalarType wide);

/// sum += factor * x, of one shape and both contiguous; x may be in a narrower dtype.
void add_scaled(const Tensor& sum, const Tensor& x, double factor);

}  // namespace lathe::ops
