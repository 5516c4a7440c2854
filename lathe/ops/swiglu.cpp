#include "lathe/ops/swiglu.h"

#include "lathe/ops/cpu/for_dtype.h"

namespace lathe::ops {
namespace {

using cpu::elements;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t elements_a_task = 4096;

struct SwigluFunction : torch::autograd::Function<SwigluFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& gate_in, const Tensor& up_in) {
    const Tensor gate = gate_in.contiguous();
    const Tensor up = up_in.contiguous();
    Tensor y = at::empty_like(gate);
    cpu::for_dtype(gate, [&]<class T>(const cpu::Kernels<T>& kernels, T) {
      at::parallel_for(0, gate.numel(), elements_a_task, [&](int64_t begin, int64_t end) {
        kernels.swiglu(elements<T>(gate) + begin, elements<T>(up) + begin, elements<T>(y) + begin,
                       end - begin);
      });
    });
    ctx->save_for_backward({gate, up});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor& gate = saved[0];
    const Tensor& up = saved[1];
    const Tensor dy = gradients[0].contiguous();
    const Tensor dgate = at::empty_like(gate);
    const Tensor dup = at::empty_like(up);
    cpu::for_dtype(gate, [&]<class T>(const cpu::Kernels<T>& kernels, T) {
      at::parallel_for(0, gate.numel(), elements_a_task, [&](int64_t begin, int64_t end) {
        kernels.swiglu_backward(elements<T>(dy) + begin, elements<T>(gate) + begin,
                                elements<T>(up) + begin, elements<T>(dgate) + begin,
                                elements<T>(dup) + begin, end - begin);
      });
    });
    return {dgate, dup};
  }
};

}  // namespace

Tensor swiglu(const Tensor& gate, const Tensor& up) {
  if (cpu::handles(gate)) return SwigluFunction::apply(gate, up);
  return at::silu(gate) * up;
}

}  // namespace lathe::ops
