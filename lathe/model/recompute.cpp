#include "lathe/model/recompute.h"

#include <torch/custom_class.h>

namespace lathe {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Keeps the function alive as long as the graph that needs it.
struct Kept final : torch::CustomClassHolder {
  explicit Kept(std::function<Tensor(const Tensor&)> function) : f(std::move(function)) {}
  std::function<Tensor(const Tensor&)> f;
};

struct RecomputeFunction : torch::autograd::Function<RecomputeFunction> {
  /// `tracked` requires gradients, so that the backward pass comes here even where x needs none.
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& /*tracked*/,
                        const c10::intrusive_ptr<Kept>& kept) {
    ctx->save_for_backward({x});
    ctx->saved_data["kept"] = c10::IValue::make_capsule(kept);
    return kept->f(x);
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto kept = ctx->saved_data["kept"].toCapsule();
    const Tensor x = ctx->get_saved_variables()[0].detach().requires_grad_(true);
    {
      const at::AutoGradMode with_gradients(true);
      static_cast<Kept*>(kept.get())->f(x).backward(gradients[0]);
    }
    return {x.grad(), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor recompute(const std::function<Tensor(const Tensor&)>& f, const Tensor& x) {
  const Tensor tracked = at::zeros({}, at::kFloat).requires_grad_(true);
  return RecomputeFunction::apply(x, tracked, c10::make_intrusive<Kept>(f));
}

}  // namespace lathe
