#include "lathe/ops/cross_entropy.h"

#include "lathe/base/autograd.h"
#include "lathe/ops/cpu/for_dtype.h"
#include "lathe/ops/gradient.h"
#include "lathe/ops/quantized.h"

namespace lathe::ops {
namespace {

using cpu::elements;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Rows whose logits exist at a time, and rows of the weight whose gradient is added at a time: as
/// many as keep the products near their peak, in buffers that are used again.
constexpr int64_t rows_a_chunk = 512;
constexpr int64_t rows_a_chunk_on_gpu = 2048;
constexpr int64_t classes_a_block = 3072;

/// dweight (V, D) += factor dlogits^T x, with dlogits (N, V) and x (N, D) in a narrower dtype.
void add_weight_gradient(const Tensor& dweight, const Tensor& dlogits, const Tensor& x,
                         double factor) {
  if (!x.is_cpu()) return add_scaled(dweight, product(dlogits, x, dweight.scalar_type()), factor);
  const Tensor buffer =
      at::empty({std::min(classes_a_block, dweight.size(0)), x.size(1)}, x.options());
  for (int64_t begin = 0; begin < dweight.size(0); begin += classes_a_block) {
    const int64_t count = std::min(classes_a_block, dweight.size(0) - begin);
    Tensor block = buffer.narrow(0, 0, count);
    at::mm_out(block, dlogits.narrow(1, begin, count).t(), x);
    add_scaled(dweight.narrow(0, begin, count), block, factor);
  }
}

/// Losses (N) of contiguous `logits` (N, V), capped unless `softcap` is 0. The logits become their
/// own gradient when `gradient` is set.
Tensor losses_of(const Tensor& logits, const Tensor& targets, double softcap, bool gradient) {
  const int64_t rows = logits.size(0);
  const int64_t classes = logits.size(1);
  const at::ScalarType dtype = cpu::accumulate_dtype(logits.scalar_type());
  if (!cpu::handles(logits)) {
    const Tensor squashed = softcap > 0 ? at::tanh(logits.to(dtype) / softcap) : Tensor();
    const Tensor log_probs = at::log_softmax(softcap > 0 ? squashed * softcap : logits, 1, dtype);
    const Tensor index = targets.unsqueeze(1);
    Tensor losses = -log_probs.gather(1, index).squeeze(1);
    if (gradient) {
      Tensor d = log_probs.exp_();
      d.scatter_(1, index, d.gather(1, index) - 1);
      if (softcap > 0) d.mul_(1 - squashed.square());
      logits.copy_(d);
    }
    return losses;
  }
  const Tensor losses = at::empty({rows}, logits.options().dtype(dtype));
  const int64_t* target = targets.const_data_ptr<int64_t>();
  cpu::for_dtype(logits, [&]<class T>(const cpu::Kernels<T>& kernels, T) {
    using A = cpu::Accumulate<T>;
    at::parallel_for(0, rows, 1, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r)
        elements<A>(losses)[r] =
            kernels.cross_entropy(elements<T>(logits) + r * classes, classes, target[r],
                                  static_cast<A>(softcap), gradient);
    });
  });
  return losses;
}

/// logits = x W^T with W (V, D) in the dtype of x, or quantised.
void multiply(Tensor& logits, const Tensor& x, const Tensor& w) {
  if (!is_quantized(w)) {
    at::mm_out(logits, x, w.t());
    return;
  }
  for_row_blocks(w, x.scalar_type(), [&](int64_t first, const Tensor& rows) {
    logits.narrow(1, first, rows.size(0)).copy_(at::mm(x, rows.t()));
  });
}

/// The gradient of x, dlogits W, with the same W.
Tensor multiply_back(const Tensor& dlogits, const Tensor& w) {
  if (!is_quantized(w)) return at::mm(dlogits, w);
  const at::ScalarType dtype = dlogits.scalar_type();
  const Tensor sum = at::zeros({dlogits.size(0), w.size(1)},
                               dlogits.options().dtype(cpu::accumulate_dtype(dtype)));
  for_row_blocks(w, dtype, [&](int64_t first, const Tensor& rows) {
    add_scaled(sum, at::mm(dlogits.narrow(1, first, rows.size(0)), rows), 1);
  });
  return sum;
}

struct LinearCrossEntropyFunction : torch::autograd::Function<LinearCrossEntropyFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight,
                        const Tensor& targets, double softcap, bool x_gradient,
                        bool weight_gradient, std::optional<double> known) {
    const Tensor w = is_quantized(weight) ? weight : weight.to(x.scalar_type());
    const int64_t rows = x.size(0);
    const bool gradient = x_gradient || weight_gradient;
    const Tensor sum = at::zeros({}, x.options().dtype(at::kDouble));
    const Tensor dx = x_gradient ? at::empty_like(x) : Tensor();
    const bool at_once = weight_gradient && known && holds_gradient(weight);
    Tensor dweight;
    if (weight_gradient) dweight = at_once ? weight.grad() : at::zeros_like(weight);
    const int64_t chunk = x.is_cpu() ? rows_a_chunk : rows_a_chunk_on_gpu;
    const Tensor buffer = at::empty({std::min(rows, chunk), w.size(0)}, x.options());
    for (int64_t begin = 0; begin < rows; begin += chunk) {
      const int64_t count = std::min(chunk, rows - begin);
      const Tensor part = x.narrow(0, begin, count);
      Tensor logits = buffer.narrow(0, 0, count);  // (count, V)
      multiply(logits, part, w);
      sum.add_(
          losses_of(logits, targets.narrow(0, begin, count), softcap, gradient).sum(at::kDouble));
      if (x_gradient) dx.narrow(0, begin, count).copy_(multiply_back(logits, w));
      if (weight_gradient) add_weight_gradient(dweight, logits, part, at_once ? *known : 1);
    }
    ctx->save_for_backward({weight, dx, at_once ? Tensor() : dweight});
    ctx->saved_data["known"] = at_once ? known : std::nullopt;
    return sum;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const double scale = gradients[0].item<double>();
    const auto known = ctx->saved_data["known"].toOptional<double>();
    require(!known || *known == scale, "linear_cross_entropy: expected the gradient {}, found {}",
            known.value_or(0), scale);
    Tensor dx, dweight;
    if (saved[1].defined()) dx = saved[1] * scale;
    if (saved[2].defined()) dweight = accumulate_gradient(saved[0], saved[2], scale);
    return {dx, dweight, Tensor(), Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor linear_cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& targets,
                            double softcap, std::optional<double> gradient) {
  require(x.dim() == 2 && targets.dim() == 1 && x.size(0) == targets.size(0),
          "linear_cross_entropy: expected x (N, D) and targets (N), found {} and {}", x.sizes(),
          targets.sizes());
  const bool training = at::GradMode::is_enabled();
  return LinearCrossEntropyFunction::apply(x.contiguous(), weight, targets.contiguous(), softcap,
                                           training && x.requires_grad(),
                                           training && weight.requires_grad(), gradient);
}

Tensor cross_entropy_rows(const Tensor& logits, const Tensor& targets) {
  return losses_of(logits.contiguous(), targets.contiguous(), 0, false);
}

}  // namespace lathe::ops
