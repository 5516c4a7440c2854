#include "lathe/ops/linear.h"

#include "lathe/base/autograd.h"
#include "lathe/ops/gradient.h"
#include "lathe/ops/quantized.h"
#include "lathe/ops/remade.h"

namespace lathe::ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Above this a quantised weight is decoded a part at a time: an output layer, in practice.
constexpr int64_t decoded_at_once = 1 << 24;

/// x W^T
Tensor multiplied(const Tensor& x, const Tensor& weight) {
  const at::ScalarType dtype = x.scalar_type();
  if (!is_quantized(weight) || weight.numel() <= decoded_at_once)
    return at::linear(x, in_dtype(weight, dtype));
  const Tensor rows = x.reshape({-1, x.size(-1)});
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(0);
  const Tensor y = at::empty({rows.size(0), weight.size(0)}, x.options());
  for_row_blocks(weight, dtype, [&](int64_t first, const Tensor& part) {
    y.narrow(1, first, part.size(0)).copy_(at::linear(rows, part));
  });
  return y.view(shape);
}

struct LinearFunction : torch::autograd::Function<LinearFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight,
                        const std::optional<Tensor>& bias) {
    // A weight that is frozen has no gradient, for which alone x would be kept.
    const bool needs_x = weight.requires_grad();
    const auto remade = needs_x ? SavedInput::of(x) : nullptr;
    if (remade) {
      remade->expect();
      ctx->saved_data["x"] = c10::IValue::make_capsule(remade);
    }
    ctx->save_for_backward({needs_x && !remade ? x : Tensor(), weight, bias.value_or(Tensor())});
    // The rounded weight is not kept: rounding again costs less than the memory.
    if (!bias) return multiplied(x, weight);
    if (is_quantized(weight)) return multiplied(x, weight) + bias->to(x.scalar_type());
    return at::linear(x, weight.to(x.scalar_type()), bias->to(x.scalar_type()));
  }

  static Tensor input(const AutogradContext& ctx, const Tensor& kept) {
    const auto remade = ctx.saved_data.find("x");
    if (remade == ctx.saved_data.end()) return kept;
    return static_cast<SavedInput&>(*remade->second.toCapsule()).take();
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor& weight = saved[1];
    const Tensor& bias = saved[2];
    const Tensor dy = gradients[0].reshape({-1, weight.size(0)});  // (N, out)
    Tensor dx, dweight, dbias;
    if (ctx->needs_input_grad(0)) {
      std::vector<int64_t> shape = gradients[0].sizes().vec();
      shape.back() = weight.size(1);
      dx = at::mm(dy, in_dtype(weight, dy.scalar_type())).view(shape);
    }
    if (ctx->needs_input_grad(1)) {
      const Tensor x = input(*ctx, saved[0]).reshape({-1, weight.size(1)});
      dweight = accumulate_gradient(weight, product(dy, x, weight.scalar_type()));
    }
    if (bias.defined() && ctx->needs_input_grad(2)) dbias = dy.sum(0, false, bias.scalar_type());
    return {dx, dweight, dbias};
  }
};

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return LinearFunction::apply(x, weight,
                               bias.defined() ? std::optional<Tensor>(bias) : std::nullopt);
}

}  // namespace lathe::ops
