// The lower layers of a model, when nothing in them is trained: what they make of a text is the
// same in every epoch, so it is computed once, kept in a file, and read from then on.
#pragma once

#include <functional>
#include <memory>

#include "lathe/data/dataset.h"
#include "lathe/data/state_cache.h"
#include "lathe/model/model.h"

namespace lathe {

/// How many of the lowest layers, and the embeddings, none of the weights to train belongs to. 0:
/// there is no such part.
int64_t frozen_layers(Model& model, const std::vector<NamedTensor>& trained);

/// What the states of a run's documents would be.
struct FrozenPart {
  int64_t layers = 0;
  StateLayout layout;
  std::vector<std::shared_ptr<const TokenCache>> sources;
  uint64_t bytes = 0;    ///< of all states
  std::string obstacle;  ///< why they cannot be kept; empty if they can
};

/// Where states are kept.
struct StateStore {
  fs::path folder;     ///< of states of any run
  uint64_t limit = 0;  ///< bytes; what was not used for the longest time makes room
  /// Called with the tokens done and all tokens; what it throws ends the work and leaves nothing
  /// behind.
  std::function<void(uint64_t done, uint64_t all)> progress = {};
};

/// What the lowest `layers` layers of a model leave to keep of this data, and whether that is
/// possible.
FrozenPart frozen_part(const Model& model, int64_t layers, const Dataset& dataset,
                       const DataOptions& options, const StateStore& store);

/// The states of a part without obstacle: those of the store if the same weights read the same
/// tokens in the same way before, otherwise computed now.
std::shared_ptr<const FrozenStates> frozen_states(Model& model, const FrozenPart& part,
                                                  const Dataset& dataset, const StateStore& store);

}  // namespace lathe
