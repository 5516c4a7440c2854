// The rows that a run reads, step by step.
#pragma once

#include "cli/progress.h"
#include "cli/recipe.h"
#include "lathe/data/dataset.h"
#include "lathe/model/model.h"
#include "lathe/parallel/parallel.h"

namespace lathe {

/// The training data. Where the lowest layers do not change and their output is read more than
/// once, `data` gets it (see lathe/train/frozen_part.h). `dropout`: batches bring seeds for it.
/// Sets the recipe's max_steps.
std::unique_ptr<Source> make_source(Recipe& recipe, Model& model,
                                    const std::vector<NamedTensor>& trained, Dataset& data,
                                    const Parallel& parallel, bool dropout, ProgressLine& line);

}  // namespace lathe
