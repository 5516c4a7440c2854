#include "lathe/ops/embedding.h"

#include "lathe/base/autograd.h"
#include "lathe/ops/gradient.h"
#include "lathe/ops/quantized.h"

namespace lathe::ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct EmbeddingFunction : torch::autograd::Function<EmbeddingFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& ids, const Tensor& weight,
                        at::ScalarType dtype) {
    ctx->save_for_backward({ids, weight});
    if (is_quantized(weight)) return rows_in_dtype(weight, ids, dtype);
    return at::embedding(weight, ids).to(dtype);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &ids = saved[0], &weight = saved[1];
    return {Tensor(),
            accumulate_row_gradient(weight, ids.reshape(-1),
                                    gradients[0].reshape({-1, weight.size(1)}).contiguous()),
            Tensor()};
  }
};

}  // namespace

Tensor embedding(const Tensor& ids, const Tensor& weight, at::ScalarType dtype) {
  return EmbeddingFunction::apply(ids, weight, dtype);
}

}  // namespace lathe::ops
