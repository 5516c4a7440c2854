// The parts of a run, made from its recipe.
#pragma once

#include "cli/progress.h"
#include "cli/recipe.h"
#include "lathe/text/tokenizer.h"
#include "lathe/train/run_folder.h"

namespace lathe {

/// Opens output_dir for this recipe. Throws Error naming the keys if another recipe was run there
/// and is not to be overwritten.
/// Fills in what the run begun there was given by the day it began.
std::unique_ptr<RunFolder> open_run(Recipe& recipe, Observer& observer);

/// Says from now on that the folder holds a run of this recipe; with `overwrite` removes what
/// another left there. To be called when all of it has proved to be right: a recipe with a mistake
/// must not be in the way of its correction.
void record_recipe(const RunFolder& folder, const Recipe& recipe);

Tokenizer load_tokenizer(const Recipe& recipe);

}  // namespace lathe
