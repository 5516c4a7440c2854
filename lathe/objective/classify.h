#pragma once

#include "lathe/data/labels.h"
#include "lathe/objective/objective.h"

namespace lathe {

/// Classification by the state at the last token of each text: cross-entropy for one class, binary
/// cross-entropy for several, squared error for a number (as transformers'
/// ...ForSequenceClassification).
class Classify final : public Objective {
 public:
  /// `class_weights`: how much a text of each class counts (1 if empty); of one class each only.
  explicit Classify(ProblemType type, const std::vector<float>& class_weights = {});

  Weights weights(const Batch& batch) const override;
  std::vector<Term> operator()(Model& model, const Batch& batch, const Weights& total) override;

 private:
  Tensor text_weights(const Batch& batch) const;

  ProblemType type_;
  Tensor class_weights_;  // (classes) float32, or undefined
};

/// The outputs for the texts of a batch, as the model computes them: (N, outputs) float32.
Tensor class_logits(Model& model, const Batch& batch);

/// What each text costs: logits and targets (N, outputs) -> (N). Of several labels the mean over
/// outputs, as in transformers.
Tensor classification_losses(ProblemType type, const Tensor& logits, const Tensor& targets);

}  // namespace lathe
