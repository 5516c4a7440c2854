// What a run trains.
#pragma once

#include "cli/recipe.h"
#include "lathe/adapt/adapter.h"
#include "lathe/train/loop.h"

namespace lathe {

using Adapters = std::vector<std::unique_ptr<Adapter>>;

/// The adapters of the recipe, in `model`.
Adapters make_adapters(const Recipe& recipe, Model& model);

/// What is trained, as the optimizer and the loop take it.
struct TrainedWeights {
  std::vector<NamedTensor> weights;
  std::vector<double> rates = {};      ///< how many times the learning rate each has; empty: once
  std::vector<size_t> groups = {};     ///< of each, its place in `learners`; empty: there is one
  std::vector<Learner> learners = {};  ///< the adapters, if rows choose between them
};

/// The adapters, or the weights of the model that the recipe names.
TrainedWeights trained_weights(const Recipe& recipe, Model& model, const Adapters& adapters);

/// An optimizer for them.
Optimizer optimizer_for(const TrainedWeights& trained, const Recipe& recipe, Model& model);

}  // namespace lathe
