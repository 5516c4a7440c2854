#include "lathe/train/evaluate.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "lathe/objective/classify.h"

namespace lathe {

double Evaluation::perplexity() const {
  return std::exp(loss);
}

std::optional<double> Evaluation::bits_per_byte() const {
  if (!(text_bytes > 0)) return std::nullopt;
  return loss * tokens / std::numbers::ln2 / text_bytes;
}

Evaluation evaluate(Model& model, Objective& objective,
                    const std::function<std::optional<Batch>()>& next) {
  const at::NoGradGuard no_grad;
  Evaluation result;
  Weights weights;
  std::map<std::string, double> sums;
  while (const std::optional<Batch> host = next()) {
    const Batch batch = host->to(model.device());
    for (const auto& [name, weight] : objective.weights(batch)) weights[name] += weight;
    for (const Term& term : objective(model, batch, {})) sums[term.name] += term.sum.item<double>();
    result.tokens += static_cast<double>(batch.target_tokens);
    result.text_bytes += batch.text_bytes ? static_cast<double>(*batch.text_bytes)
                                          : std::numeric_limits<double>::quiet_NaN();
  }
  for (const auto& [name, sum] : sums)
    if (weights[name] > 0) result.loss += sum / weights[name];
  return result;
}

Evaluation evaluate_classifier(Model& model, ClassificationScores& scores,
                               const std::function<std::optional<Batch>()>& next) {
  const at::NoGradGuard no_grad;
  double sum = 0;
  while (const std::optional<Batch> host = next()) {
    const Batch batch = host->to(model.device());
    const Tensor logits = class_logits(model, batch);
    sum += classification_losses(scores.labels().type, logits, batch.targets)
               .sum(at::kDouble)
               .item<double>();
    scores.add(logits, batch.targets);
  }
  Evaluation result;
  result.metrics = scores.metrics();
  result.loss = sum / static_cast<double>(scores.texts());
  return result;
}

}  // namespace lathe
