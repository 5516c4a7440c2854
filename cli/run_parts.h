// The parts of a run, as its recipe says.
#pragma once

#include "cli/recipe.h"
#include "lathe/data/dataset.h"
#include "lathe/model/model.h"
#include "lathe/objective/objective.h"
#include "lathe/text/tokenizer.h"
#include "lathe/train/observer.h"

namespace lathe {

/// The model of the recipe: weights in float32, computing in bfloat16 or float32. Throws Error if
/// max_length is more than it has positions for; tells if it is more than it was made for.
std::unique_ptr<Model> make_model(Recipe& recipe, const Tokenizer& tokenizer, Observer& observer);

/// The model with an output for each label of the data, which is trained besides what the recipe
/// says; `model` itself if the recipe's objective is another, or it has them.
std::unique_ptr<Model> with_outputs(std::unique_ptr<Model> model, Recipe& recipe,
                                    const Dataset& data);

/// What the recipe minimises.
std::unique_ptr<Objective> make_objective(const Recipe& recipe, const Dataset& data);

}  // namespace lathe
