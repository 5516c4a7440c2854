#include "lathe/ops/experts.h"

#include "lathe/base/autograd.h"

namespace lathe::ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Row i of the result is row from[i] of x (N, D). Every row of x is taken equally often, row n as
/// the results back[n*K] .. back[n*K + K-1]: so the gradient is a sum in fixed order over slices
/// that are gathered, instead of one that is scattered.
struct TakeRowsFunction : torch::autograd::Function<TakeRowsFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& from,
                        const Tensor& back) {
    ctx->save_for_backward({back});
    ctx->saved_data["rows"] = x.size(0);
    return x.index_select(0, from);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const Tensor back = ctx->get_saved_variables()[0];
    const int64_t rows = ctx->saved_data["rows"].toInt();
    const Tensor dy = gradients[0].index_select(0, back);  // (N*K, D)
    if (back.numel() == rows) return {dy, Tensor(), Tensor()};
    return {dy.view({rows, back.numel() / rows, dy.size(1)}).sum(1), Tensor(), Tensor()};
  }
};

}  // namespace

ExpertOrder expert_order(const Tensor& chosen, int64_t experts) {
  const Tensor flat = chosen.reshape(-1);
  ExpertOrder order;
  order.choices = std::get<1>(at::sort(flat, /*stable=*/true, 0, /*descending=*/false));
  order.places = at::empty_like(order.choices);
  order.places.scatter_(0, order.choices, at::arange(flat.numel(), flat.options()));
  const Tensor counts = at::bincount(flat, {}, experts).cpu();
  order.counts.assign(counts.const_data_ptr<int64_t>(),
                      counts.const_data_ptr<int64_t>() + counts.numel());
  return order;
}

Tensor to_experts(const Tensor& x, const ExpertOrder& order) {
  const int64_t each = order.choices.numel() / x.size(0);
  return TakeRowsFunction::apply(x, order.choices.div(each, "floor"), order.places);
}

Tensor from_experts(const Tensor& y, const Tensor& weights, const ExpertOrder& order) {
  const Tensor results = TakeRowsFunction::apply(y, order.places, order.choices)
                             .view({weights.size(0), weights.size(1), y.size(1)})
                             .to(weights.scalar_type());  // (N, K, D)
  return at::bmm(weights.unsqueeze(1), results).squeeze(1).to(y.scalar_type());
}

}  // namespace lathe::ops
