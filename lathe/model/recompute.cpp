#include "lathe/model/recompute.h"

#include <torch/custom_class.h>

#include "lathe/base/autograd.h"

namespace lathe {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Keeps the function alive as long as the graph that needs it.
struct KeptFunction final : torch::CustomClassHolder {
  explicit KeptFunction(Recomputable function) : f(std::move(function)) {}
  Recomputable f;
};

struct RecomputeFunction : torch::autograd::Function<RecomputeFunction> {
  /// `tracked` requires gradients, so that the backward pass comes here even where x needs none.
  static variable_list forward(AutogradContext* ctx, const Tensor& x, const Tensor& /*tracked*/,
                               const c10::intrusive_ptr<KeptFunction>& kept) {
    ctx->save_for_backward({x});
    ctx->saved_data["kept"] = c10::IValue::make_capsule(kept);
    return kept->f(x);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const auto kept = ctx->saved_data["kept"].toCapsule();
    const Tensor x = ctx->get_saved_variables()[0].detach().requires_grad_(true);
    {
      const at::AutoGradMode with_gradients(true);
      torch::autograd::backward(static_cast<KeptFunction*>(kept.get())->f(x), gradients);
    }
    return {x.grad(), Tensor(), Tensor()};
  }
};

}  // namespace

std::vector<Tensor> recompute(const Recomputable& f, const Tensor& x) {
  const Tensor tracked = at::zeros({}, at::kFloat).requires_grad_(true);
  return RecomputeFunction::apply(x, tracked, c10::make_intrusive<KeptFunction>(f));
}

}  // namespace lathe
