// The data of a run, as its recipe says.
#pragma once

#include "cli/progress.h"
#include "cli/recipe.h"
#include "lathe/data/dataset.h"
#include "lathe/model/model.h"
#include "lathe/parallel/parallel.h"

namespace lathe {

/// The data of the recipe, with labels if its objective is to classify: those of `model`, if it is
/// a classifier already.
Dataset load_data(Recipe& recipe, const Tokenizer& tokenizer, const Model& model,
                  ProgressLine& line);

/// The training data. Where the lowest layers do not change and their output is read more than
/// once, `data` gets it (see lathe/train/frozen_part.h). `dropout`: batches bring seeds for it.
/// Sets the recipe's max_steps.
std::unique_ptr<Source> make_source(Recipe& recipe, Model& model,
                                    const std::vector<NamedTensor>& trained, Dataset& data,
                                    const Parallel& parallel, bool dropout, ProgressLine& line);

}  // namespace lathe
