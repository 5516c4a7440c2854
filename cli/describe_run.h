#pragma once

#include "cli/trained.h"
#include "lathe/data/dataset.h"

namespace lathe {

/// What a run begins with, in a few lines.
std::string describe_run(const Recipe& recipe, Model& model, const TrainedWeights& trained,
                         const Dataset& data);

}  // namespace lathe
