// From a tensor's dtype to the kernels for its element type.
#pragma once

#include "lathe/base/tensor.h"
#include "lathe/ops/cpu/kernels.h"

namespace lathe::ops::cpu {

/// Whether the kernels handle this tensor; anything else takes the composed libtorch operations.
inline bool handles(const Tensor& x) {
  return x.is_cpu() && (x.scalar_type() == at::kDouble || x.scalar_type() == at::kFloat ||
                        x.scalar_type() == at::kBFloat16);
}

/// The dtype that sums over elements of `dtype` are kept in.
inline at::ScalarType accumulate_dtype(at::ScalarType dtype) {
  return dtype == at::kDouble ? at::kDouble : at::kFloat;
}

/// Calls `f(table, T())` with the kernels for the element type T of `x`.
template <class F>
void for_dtype(const Tensor& x, F&& f) {
  switch (x.scalar_type()) {
    case at::kDouble:
      return f(kernels().f64, double());
    case at::kFloat:
      return f(kernels().f32, float());
    case at::kBFloat16:
      return f(kernels().bf16, Bf16());
    default:
      fail("CPU kernels: expected a tensor of float64, float32 or bfloat16, found {}",
           at::toString(x.scalar_type()));
  }
}

/// The elements of `x`, which must be contiguous and of the type that T stands for.
template <class T>
T* elements(const Tensor& x) {
  return static_cast<T*>(x.data_ptr());
}

}  // namespace lathe::ops::cpu
