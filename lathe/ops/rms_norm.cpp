#include "lathe/ops/rms_norm.h"

#include "lathe/base/autograd.h"
#include "lathe/ops/cpu/for_dtype.h"

namespace lathe::ops {
namespace {

using cpu::Accumulate;
using cpu::elements;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t rows_a_task = 16;

/// What is multiplied with, in the dtype of sums.
Tensor factors(const Tensor& weight, at::ScalarType dtype, double offset) {
  const Tensor wide = weight.to(dtype).contiguous();
  return offset == 0 ? wide : wide + offset;
}

/// The norm of x with factors w, and the inverse of each row's root mean square.
std::pair<Tensor, Tensor> normed(const Tensor& x, const Tensor& w, double eps) {
  const int64_t width = x.size(-1);
  const int64_t rows = x.numel() / width;
  Tensor y = at::empty_like(x);
  Tensor rrms = at::empty({rows}, w.options());
  cpu::for_dtype(x, [&]<class T>(const cpu::Kernels<T>& kernels, T) {
    using A = Accumulate<T>;
    at::parallel_for(0, rows, rows_a_task, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r)
        elements<A>(rrms)[r] =
            kernels.rms_norm(elements<T>(x) + r * width, elements<A>(w), elements<T>(y) + r * width,
                             width, static_cast<A>(eps));
    });
  });
  return {y, rrms};
}

struct RmsNormFunction : torch::autograd::Function<RmsNormFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight, double eps,
                        double offset) {
    const auto [y, rrms] =
        normed(x, factors(weight, cpu::accumulate_dtype(x.scalar_type()), offset), eps);
    ctx->save_for_backward({x, weight, rrms});
    ctx->saved_data["offset"] = offset;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor& x = saved[0];
    const Tensor& rrms = saved[2];
    const Tensor dy = gradients[0].contiguous();
    const int64_t width = x.size(-1);
    const int64_t rows = rrms.numel();
    const Tensor w = factors(saved[1], rrms.scalar_type(), ctx->saved_data["offset"].toDouble());
    const Tensor dx = at::empty_like(x);
    // One sum a thread, added up in order: the same result in every run with as many threads.
    const int64_t tasks = std::min<int64_t>(at::get_num_threads(), rows);
    const Tensor partial = at::zeros({tasks, width}, rrms.options());
    cpu::for_dtype(x, [&]<class T>(const cpu::Kernels<T>& kernels, T) {
      using A = Accumulate<T>;
      at::parallel_for(0, tasks, 1, [&](int64_t begin, int64_t end) {
        for (int64_t task = begin; task < end; ++task)
          for (int64_t r = rows * task / tasks; r < rows * (task + 1) / tasks; ++r)
            kernels.rms_norm_backward(elements<T>(dy) + r * width, elements<T>(x) + r * width,
                                      elements<A>(w), elements<A>(rrms)[r],
                                      elements<T>(dx) + r * width,
                                      elements<A>(partial) + task * width, width);
      });
    });
    return {dx, partial.sum(0).to(saved[1].scalar_type()), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor rms_norm(const Tensor& input, const Tensor& weight, double eps, double offset) {
  const at::ScalarType sums = cpu::accumulate_dtype(input.scalar_type());
  if (!cpu::handles(input)) {
    const Tensor w = factors(weight, sums, offset).to(input.scalar_type());
    return at::rms_norm(input, {input.size(-1)}, w, eps);
  }
  const Tensor x = input.contiguous();
  const Tensor y = RmsNormFunction::apply(x, weight, eps, offset);
  make_again(y, [x = x.detach(), weight = weight.detach(), sums, eps, offset] {
    return normed(x, factors(weight, sums, offset), eps).first;
  });
  return y;
}

}  // namespace lathe::ops
