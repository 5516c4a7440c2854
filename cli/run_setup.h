// The parts of a run, made from its recipe.
#pragma once

#include "cli/progress.h"
#include "cli/recipe.h"
#include "lathe/text/tokenizer.h"
#include "lathe/train/run_folder.h"

namespace lathe {

/// Opens output_dir for this recipe. Throws Error naming the keys if another recipe was run there;
/// with `overwrite` removes what that run left.
std::unique_ptr<RunFolder> open_run(const Recipe& recipe, Observer& observer);

/// Says from now on that the folder holds a run of this recipe. To be called when all of it has
/// proved to be right: a recipe with a mistake must not be in the way of its correction.
void record_recipe(const RunFolder& folder, const Recipe& recipe);

Tokenizer load_tokenizer(const Recipe& recipe);

}  // namespace lathe
