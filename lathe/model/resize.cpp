#include "lathe/model/resize.h"

#include "lathe/ops/quantized.h"

namespace lathe {
namespace {

/// weight (V, D) with rows added to make (count, D).
Tensor grown(const Tensor& weight, int64_t count) {
  const at::ScalarType sums = weight.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const Tensor mean = weight.mean(0, /*keepdim=*/true, sums).to(weight.scalar_type());
  return at::cat({weight, mean.expand({count - weight.size(0), -1})});
}

}  // namespace

void resize_token_embeddings(Model& model, int64_t count) {
  const int64_t rows = model.config().vocab_size;
  require(count >= rows,
          "resizing the embeddings: expected at least the {} tokens there are, "
          "found {}",
          rows, count);
  if (count == rows) return;
  require(!ops::is_quantized(model.output_weight()) &&
              !ops::is_quantized(*model.named_tensors().front().tensor),
          "a model with quantised weights cannot get more tokens: add them to the model first, "
          "without load_in_4bit and keep_quantized");
  const at::NoGradGuard no_grad;
  const void* output = model.output_weight().unsafeGetTensorImpl();
  const std::vector<NamedTensor> weights = model.named_tensors();
  *weights.front().tensor = grown(*weights.front().tensor, count);  // the input embedding
  for (const NamedTensor& weight : weights)
    if (weight.tensor->unsafeGetTensorImpl() == output)
      *weight.tensor = grown(*weight.tensor, count);
  model.mutable_config().vocab_size = count;
}

}  // namespace lathe
