#include "lathe/ops/swiglu.h"

#include "lathe/base/autograd.h"
#include "lathe/ops/cpu/for_dtype.h"
#include "lathe/ops/remade.h"

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

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const auto [dgate, dup] = gated_backward(gradients[0].contiguous(), saved[0], saved[1]);
    return {dgate, dup};
  }
};

}  // namespace

Tensor swiglu(const Tensor& gate_in, const Tensor& up_in) {
  const Tensor gate = gate_in.contiguous(), up = up_in.contiguous();
  const Tensor y = SwigluFunction::apply(gate, up);
  make_again(y, [gate = gate.detach(), up = up.detach()] { return gated(gate, up); });
  return y;
}

}  // namespace lathe::ops
