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

/// Updates weights, exp_avgs and exp_avg_sqs in place, and leaves zeros in the gradients, ready for
/// the next sum. The i-th of each list belong together: of one shape, contiguous, float32 or
/// float64; all on one device.
void adamw(at::TensorList weights, at::TensorList gradients, at::TensorList exp_avgs,
           at::TensorList exp_avg_sqs, const AdamwOptions& options);

/// The Euclidean norm of all elements together, summed in double; the same in every run with as
/// many threads.
double norm(at::TensorList list);

}  // namespace lathe::ops
