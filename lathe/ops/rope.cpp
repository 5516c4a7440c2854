#include "lathe/ops/rope.h"

#include "lathe/base/autograd.h"
#include "lathe/ops/cpu/for_dtype.h"

namespace lathe::ops {
namespace {

using cpu::elements;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Turns the pairs (i, i + half) of each head by the angles, in the dtype of these.
Tensor composed(const Tensor& x, const Tensor& cos, const Tensor& sin, int direction) {
  const int64_t half = cos.size(-1);
  const Tensor c = cos.unsqueeze(2), s = (sin * direction).unsqueeze(2);  // (B, T, 1, half)
  const Tensor low = x.narrow(3, 0, half), high = x.narrow(3, half, half);
  const Tensor y = at::empty_like(x);
  y.narrow(3, 0, half).copy_(low * c - high * s);
  y.narrow(3, half, half).copy_(high * c + low * s);
  y.narrow(3, 2 * half, x.size(3) - 2 * half).copy_(x.narrow(3, 2 * half, x.size(3) - 2 * half));
  return y;
}

Tensor rotate(const Tensor& input, const Tensor& cos, const Tensor& sin, int direction) {
  const Tensor x = input.contiguous();
  if (!cpu::handles(x)) return composed(x, cos, sin, direction);
  const int64_t heads = x.size(2);
  const int64_t width = x.size(3);
  const int64_t half = cos.size(-1);
  const int64_t positions = x.size(0) * x.size(1);
  const Tensor y = at::empty_like(x);
  cpu::for_dtype(x, [&]<class T>(const cpu::Kernels<T>& kernels, T) {
    using A = cpu::Accumulate<T>;
    at::parallel_for(0, positions, 32, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p)
        for (int64_t h = 0; h < heads; ++h) {
          const T* from = elements<T>(x) + (p * heads + h) * width;
          T* to = elements<T>(y) + (p * heads + h) * width;
          kernels.rotate(from, elements<A>(cos) + p * half, elements<A>(sin) + p * half, to, half,
                         static_cast<A>(direction));
          std::copy(from + 2 * half, from + width, to + 2 * half);
        }
    });
  });
  return y;
}

struct RopeFunction : torch::autograd::Function<RopeFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& cos,
                        const Tensor& sin) {
    ctx->save_for_backward({cos, sin});
    return rotate(x, cos, sin, 1);
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    return {rotate(gradients[0], saved[0], saved[1], -1), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor rope(const Tensor& x, const Tensor& cos, const Tensor& sin) {
  const int64_t turned = 2 * cos.size(-1);
  require(turned <= x.size(3), "rope: expected up to {} angles a position, found {}", x.size(3) / 2,
          cos.size(-1));
  const at::ScalarType dtype = cpu::accumulate_dtype(x.scalar_type());
  return RopeFunction::apply(x, cos.to(dtype).contiguous(), sin.to(dtype).contiguous());
}

}  // namespace lathe::ops
