// The data of a run, as its recipe says.
#pragma once

#include "cli/progress.h"
#include "cli/recipe.h"
#include "lathe/data/dataset.h"
#include "lathe/model/model.h"

namespace lathe {

/// The data of the recipe, with labels if its objective is to classify: those of `model`, if it is
/// a classifier already.
Dataset load_data(Recipe& recipe, const Tokenizer& tokenizer, const Model& model,
                  ProgressLine& line);

}  // namespace lathe
