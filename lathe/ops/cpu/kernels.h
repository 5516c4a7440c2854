// The small CPU kernels under lathe/ops: plain loops over rows, compiled once for each instruction
// set (kernels.cpp) and chosen at run time (dispatch.cpp). The matrix products around them are
// libtorch's.
#pragma once

#include <cstdint>

namespace lathe::ops::cpu {

/// The storage of a bfloat16: the upper half of a float.
struct Bf16 {
  uint16_t bits;
};

/// The type sums are kept in: double for double, float for everything else.
template <class T>
struct AccumulateType {
  using type = float;
};
template <>
struct AccumulateType<double> {
  using type = double;
};
template <class T>
using Accumulate = typename AccumulateType<T>::type;

/// Kernels for elements of type T. All arrays are contiguous.
template <class T, class A = Accumulate<T>>
struct Kernels {
  /// y = x / rms(x) * weight for one row of `n`; returns 1 / rms(x).
  A (*rms_norm)(const T* x, const A* weight, T* y, int64_t n, A eps);
  /// dx of `rms_norm` for one row; adds to dweight.
  void (*rms_norm_backward)(const T* dy, const T* x, const A* weight, A rrms, T* dx, A* dweight,
                            int64_t n);
  /// Rotates the pairs (x[i], x[i + half]) by the angles with these cosines and sines (half each).
  /// `direction` is 1 forward, -1 backward.
  void (*rotate)(const T* x, const A* cos, const A* sin, T* y, int64_t half, A direction);
  /// y = silu(gate) * up for n elements.
  void (*swiglu)(const T* gate, const T* up, T* y, int64_t n);
  /// The gradients of `swiglu`.
  void (*swiglu_backward)(const T* dy, const T* gate, const T* up, T* dgate, T* dup, int64_t n);
  /// Softmax of s = scale * scores, or with a `cap` above 0 of s = cap * tanh(scale * scores /
  /// cap), over [begin, end), zero in the rest of the n; returns log(sum(exp(s))).
  A (*softmax)(T* scores, int64_t n, int64_t begin, int64_t end, A scale, A cap);
  /// From scores and dprobs: scores become the probabilities, dprobs the gradient of the scores.
  /// `delta` is sum(probs * dprobs).
  void (*softmax_backward)(T* scores, T* dprobs, int64_t n, int64_t begin, int64_t end, A scale,
                           A cap, A log_sum, A delta);
  /// -log softmax(s)[target] with s = logits, or cap * tanh(logits / cap); with `gradient`, logits
  /// become the gradient of it: softmax(s) - onehot(target), times the slope of the cap.
  A (*cross_entropy)(T* logits, int64_t n, int64_t target, A cap, bool gradient);
  /// softmax(s) . values with s as in `softmax` of keys . query, for one query over `count` keys of
  /// `n` elements each; `scratch` has room for `count` + `n` elements.
  void (*attend)(const T* query, const T* keys, const T* values, T* out, A* scratch, int64_t count,
                 int64_t n, A scale, A cap);
  A (*dot)(const T* a, const T* b, int64_t n);
  /// y += factor * x
  void (*add_scaled)(A* y, const T* x, A factor, int64_t n);
  /// Accumulate type to storage type.
  void (*store)(const A* x, T* y, int64_t n);
  /// y = scale * values[code], rounded, for the two codes in each of `n` bytes, the upper half
  /// first; there are 16 values.
  void (*look_up)(const uint8_t* codes, const float* values, float scale, T* y, int64_t n);
};

/// One step of AdamW for n elements (see ops/adamw.h); the gradient is zero afterwards.
template <class T>
struct AdamwStep {
  T learning_rate, beta1, beta2, eps, weight_decay, gradient_scale;
  T bias_correction1, bias_correction2_sqrt;  ///< 1 - beta1^step, sqrt(1 - beta2^step)
};
template <class T>
struct OptimizerKernels {
  void (*adamw)(T* weight, T* gradient, T* exp_avg, T* exp_avg_sq, int64_t n,
                const AdamwStep<T>& step);
  /// The sum of squares, in double.
  double (*sum_of_squares)(const T* x, int64_t n);
};

/// All kernels for one instruction set.
struct KernelTable {
  const char* name;
  Kernels<double> f64;
  Kernels<float> f32;
  Kernels<Bf16> bf16;
  OptimizerKernels<double> optimizer_f64;
  OptimizerKernels<float> optimizer_f32;
};

/// The table for the best instruction set of this processor.
const KernelTable& kernels();

}  // namespace lathe::ops::cpu
