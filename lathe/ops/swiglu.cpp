#include "lathe/ops/swiglu.h"

#include "lathe/base/autograd.h"
#include "lathe/ops/cpu/for_dtype.h"
#include "lathe/ops/gradient.h"
#include "lathe/ops/quantized.h"

namespace lathe::ops {
namespace {

using cpu::elements;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t gates_a_task = 4096;

/// silu(gate) * up; both contiguous.
Tensor gated(const Tensor& gate, const Tensor& up) {
  if (!cpu::handles(gate)) return at::silu(gate).mul_(up);
  Tensor y = at::empty_like(gate);
  cpu::for_dtype(gate, [&]<class T>(const cpu::Kernels<T>& kernels, T) {
    at::parallel_for(0, gate.numel(), gates_a_task, [&](int64_t begin, int64_t end) {
      kernels.swiglu(elements<T>(gate) + begin, elements<T>(up) + begin, elements<T>(y) + begin,
                     end - begin);
    });
  });
  return y;
}

/// The gradients of gate and up from that of `gated`.
std::pair<Tensor, Tensor> gated_backward(const Tensor& gradient, const Tensor& gate,
                                         const Tensor& up) {
  const Tensor dy = gradient.view_as(gate);
  if (!cpu::handles(gate)) return {at::silu_backward(dy * up, gate), at::silu(gate).mul_(dy)};
  const Tensor dgate = at::empty_like(gate);
  const Tensor dup = at::empty_like(up);
  cpu::for_dtype(gate, [&]<class T>(const cpu::Kernels<T>& kernels, T) {
    at::parallel_for(0, gate.numel(), gates_a_task, [&](int64_t begin, int64_t end) {
      kernels.swiglu_backward(elements<T>(dy) + begin, elements<T>(gate) + begin,
                              elements<T>(up) + begin, elements<T>(dgate) + begin,
                              elements<T>(dup) + begin, end - begin);
    });
  });
  return {dgate, dup};
}

struct SwigluFunction : torch::autograd::Function<SwigluFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& gate, const Tensor& up) {
    ctx->save_for_backward({gate, up});
    return gated(gate, up);
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const auto [dgate, dup] = gated_backward(gradients[0].contiguous(), saved[0], saved[1]);
    return {dgate, dup};
  }
};

struct SwigluLinearFunction : torch::autograd::Function<SwigluLinearFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& gate, const Tensor& up,
                        const Tensor& weight) {
    ctx->save_for_backward({gate, up, weight});
    return at::linear(gated(gate, up), in_dtype(weight, gate.scalar_type()));
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &gate = saved[0], &up = saved[1], &weight = saved[2];
    const Tensor dy = gradients[0].reshape({-1, weight.size(0)});  // (N, D)
    Tensor dgate, dup, dweight;
    if (ctx->needs_input_grad(2))
      dweight = accumulate_gradient(
          weight, product(dy, gated(gate, up).view({-1, weight.size(1)}), weight.scalar_type()));
    if (ctx->needs_input_grad(0) || ctx->needs_input_grad(1))
      std::tie(dgate, dup) =
          gated_backward(at::mm(dy, in_dtype(weight, dy.scalar_type())), gate, up);
    return {dgate, dup, dweight};
  }
};

}  // namespace

Tensor swiglu(const Tensor& gate, const Tensor& up) {
  return SwigluFunction::apply(gate.contiguous(), up.contiguous());
}

Tensor swiglu_linear(const Tensor& gate, const Tensor& up, const Tensor& weight,
                     const Tensor& bias) {
  const Tensor y = SwigluLinearFunction::apply(gate.contiguous(), up.contiguous(), weight);
  return bias.defined() ? y + bias.to(y.scalar_type()) : y;
}

}  // namespace lathe::ops
