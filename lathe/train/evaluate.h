#pragma once

#include <functional>
#include <optional>

#include "lathe/objective/objective.h"
#include "lathe/train/observer.h"

namespace lathe {

/// The loss over all batches that `next` gives until it gives none, without gradients.
Evaluation evaluate(Model& model, Objective& objective,
                    const std::function<std::optional<Batch>()>& next);

}  // namespace lathe
