#include "lathe/ops/cross_entropy.h"

#include "lathe/ops/cpu/for_dtype.h"
#include "lathe/ops/linear.h"

namespace lathe::ops {
namespace {

using cpu::elements;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Logits of one chunk take at most this much memory.
constexpr int64_t chunk_bytes = int64_t{128} << 20;

/// Losses (N) of contiguous `logits` (N, V), which become their own gradient when `gradient` is
/// set.
Tensor losses_of(const Tensor& logits, const Tensor& targets, bool gradient) {
  const int64_t rows = logits.size(0);
  const int64_t classes = logits.size(1);
  const at::ScalarType dtype = cpu::accumulate_dtype(logits.scalar_type());
  if (!cpu::handles(logits)) {
    const Tensor log_probs = at::log_softmax(logits.to(dtype), 1);
    const Tensor index = targets.unsqueeze(1);
    Tensor losses = -log_probs.gather(1, index).squeeze(1);
    if (gradient)
      logits.copy_(log_probs.exp().scatter_add(1, index, at::full_like(index, -1, dtype)));
    return losses;
  }
  const Tensor losses = at::empty({rows}, logits.options().dtype(dtype));
  const int64_t* target = targets.const_data_ptr<int64_t>();
  cpu::for_dtype(logits, [&]<class T>(const cpu::Kernels<T>& kernels, T) {
    at::parallel_for(0, rows, 1, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r)
        elements<cpu::Accumulate<T>>(losses)[r] =
            kernels.cross_entropy(elements<T>(logits) + r * classes, classes, target[r], gradient);
    });
  });
  return losses;
}

struct LinearCrossEntropyFunction : torch::autograd::Function<LinearCrossEntropyFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight,
                        const Tensor& targets, bool x_gradient, bool weight_gradient_wanted) {
    const Tensor w = weight.to(x.scalar_type());
    const int64_t rows = x.size(0);
    const int64_t chunk = std::clamp<int64_t>(chunk_bytes / (w.size(0) * w.element_size()), 1,
                                              std::max<int64_t>(rows, 1));
    const Tensor sum = at::zeros({}, x.options().dtype(at::kDouble));
    Tensor dx = x_gradient ? at::empty_like(x) : Tensor();
    Tensor dweight;
    for (int64_t begin = 0; begin < rows; begin += chunk) {
      const int64_t count = std::min(chunk, rows - begin);
      const Tensor part = x.narrow(0, begin, count);
      const Tensor logits = at::mm(part, w.t());  // (count, V)
      const bool gradient = x_gradient || weight_gradient_wanted;
      sum.add_(losses_of(logits, targets.narrow(0, begin, count), gradient).sum(at::kDouble));
      if (x_gradient) dx.narrow(0, begin, count).copy_(at::mm(logits, w));
      if (!weight_gradient_wanted) continue;
      Tensor part_gradient = weight_gradient(logits, part, weight.scalar_type());
      dweight = dweight.defined() ? dweight.add_(part_gradient) : part_gradient;
    }
    if (weight_gradient_wanted && !dweight.defined()) dweight = at::zeros_like(weight);
    ctx->save_for_backward({dx, dweight});
    return sum;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const double scale = gradients[0].item<double>();
    Tensor dx, dweight;
    if (saved[0].defined()) dx = saved[0] * scale;
    if (saved[1].defined()) dweight = saved[1].mul_(scale);  // large, and used once
    return {dx, dweight, Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor linear_cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& targets) {
  require(x.dim() == 2 && targets.dim() == 1 && x.size(0) == targets.size(0),
          "linear_cross_entropy: expected x (N, D) and targets (N), found {} and {}", x.sizes(),
          targets.sizes());
  const bool training = at::GradMode::is_enabled();
  return LinearCrossEntropyFunction::apply(x.contiguous(), weight, targets.contiguous(),
                                           training && x.requires_grad(),
                                           training && weight.requires_grad());
}

Tensor cross_entropy_rows(const Tensor& logits, const Tensor& targets) {
  return losses_of(logits.contiguous(), targets.contiguous(), false);
}

}  // namespace lathe::ops
