#pragma once

#include <functional>
#include <optional>

#include "lathe/objective/objective.h"
#include "lathe/train/classification.h"
#include "lathe/train/observer.h"

namespace lathe {

/// The loss over all batches that `next` gives until it gives none, without gradients.
Evaluation evaluate(Model& model, Objective& objective,
                    const std::function<std::optional<Batch>()>& next);

/// The same of a classifier, with the metrics of ClassificationScores. What it predicts is added to
/// `scores`.
Evaluation evaluate_classifier(Model& model, ClassificationScores& scores,
                               const std::function<std::optional<Batch>()>& next);

}  // namespace lathe
