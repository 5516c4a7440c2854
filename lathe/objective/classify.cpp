#include "lathe/objective/classify.h"

namespace lathe {

Classify::Classify(ProblemType type, const std::vector<float>& class_weights) : type_(type) {
  require(class_weights.empty() || type == ProblemType::single_label_classification,
          "class weights: texts have {}, not one class each", problem_type_name(type));
  if (!class_weights.empty()) class_weights_ = at::tensor(class_weights, at::kFloat);
}

/// What each text counts: (N).
Tensor Classify::text_weights(const Batch& batch) const {
  if (!class_weights_.defined()) return at::ones({batch.targets.size(0)}, batch.targets.options());
  return at::mv(batch.targets, class_weights_.to(batch.targets.device()));
}

Weights Classify::weights(const Batch& batch) const {
  return {{"loss", text_weights(batch).sum().item<double>()}};
}

std::vector<Term> Classify::operator()(Model& model, const Batch& batch, const Weights&) {
  const Tensor losses = classification_losses(type_, class_logits(model, batch), batch.targets);
  return {{"loss", (losses * text_weights(batch)).sum(at::kDouble)}};
}

Tensor classification_losses(ProblemType type, const Tensor& logits, const Tensor& targets) {
  switch (type) {
    case ProblemType::single_label_classification:
      return -(at::log_softmax(logits, 1) * targets).sum(1);
    case ProblemType::multi_label_classification:
      return at::binary_cross_entropy_with_logits(logits, targets, {}, {}, at::Reduction::None)
          .mean(1);
    case ProblemType::regression:
      return (logits - targets).square().mean(1);
  }
  fail("problem type {} is not known", static_cast<int>(type));
}

Tensor class_logits(Model& model, const Batch& batch) {
  const Tensor hidden = model.hidden_states(model_input(batch));
  return model.class_logits(hidden.reshape({-1, hidden.size(2)}).index_select(0, batch.ends));
}

}  // namespace lathe
