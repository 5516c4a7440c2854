#pragma once

#include "cli/recipe.h"
#include "lathe/data/dataset.h"
#include "lathe/objective/objective.h"
#include "lathe/text/tokenizer.h"
#include "lathe/train/observer.h"

namespace lathe {

/// What a run measures at each validation: the loss, with a generated sample; of a classifier its
/// metrics.
Evaluation validate(Model& model, Objective& objective, const Tokenizer& tokenizer,
                    const Recipe& recipe, const Dataset& data);

/// The names of what `validate` may measure, which is less of bits_per_byte where only answers are
/// learned.
std::vector<std::string> measured_names(const Dataset& data);

}  // namespace lathe
