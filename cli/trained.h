// What a run trains.
#pragma once

#include "cli/recipe.h"
#include "lathe/adapt/adapter.h"

namespace lathe {

using Adapters = std::vector<std::unique_ptr<Adapter>>;

/// The adapters of the recipe, in `model`.
Adapters make_adapters(const Recipe& recipe, Model& model);

/// What is trained.
struct TrainedWeights {
  std::vector<NamedTensor> weights;
  std::vector<double> rates = {};  ///< how many times the learning rate each has; empty: once
};

/// The adapters, or the weights of the model that the recipe names.
TrainedWeights trained_weights(const Recipe& recipe, Model& model, const Adapters& adapters);

}  // namespace lathe
