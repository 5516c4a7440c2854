#pragma once

#include "lathe/base/tensor.h"

namespace lathe::ops {

/// One step of AdamW (Loshchilov & Hutter 2017, arXiv:1711.05101), in the order of
/// torch.optim.AdamW.
struct AdamwOptions {
  double learning_rate, beta1, beta2, eps, weight_decay;
  double gradient_scale;  ///< the gradient is multiplied by it first (clipping)
  int64_t step;           ///< counted from 1
};

/// Updates weight, exp_avg and exp_avg_sq in place, and leaves zeros in `gradient`, ready for the
/// next sum. All of one shape, contiguous, float32 or float64.
void adamw(const Tensor& weight, const Tensor& gradient, const Tensor& exp_avg,
           const Tensor& exp_avg_sq, const AdamwOptions& options);

/// The sum of the squares of all elements, in double; the same in every run with as many threads.
double sum_of_squares(const Tensor& x);

}  // namespace lathe::ops
