// The one training loop. It names no method and no device count: what is trained, from what,
// towards what and on how many processes are its arguments.
#pragma once

#include <functional>

#include "lathe/data/source.h"
#include "lathe/objective/objective.h"
#include "lathe/optim/optimizer.h"
#include "lathe/parallel/parallel.h"
#include "lathe/train/observer.h"
#include "lathe/train/options.h"
#include "lathe/train/run_folder.h"

namespace lathe {

/// The parts of a run.
struct Training {
  Model& model;
  Objective& objective;
  Source& source;
  Optimizer& optimizer;
  Parallel& parallel;
  Observer& observer;
  RunFolder* folder = nullptr;           ///< where metrics and checkpoints go, if anywhere
  std::function<Evaluation()> evaluate;  ///< may be empty
};

/// Trains until `options.max_steps`, or validations get no better, from the newest checkpoint if
/// the folder has one. Returns false if the observer asked to stop before. Throws Error when the
/// loss or a gradient is not finite; weights and checkpoints are then those of the step before.
bool train(Training& run, const TrainOptions& options);

/// Marks the weights to train, of the model or beside it, and returns an optimizer for them.
Optimizer make_optimizer(Model& model, const OptimizerOptions& options,
                         const std::vector<NamedTensor>& trained);

/// The same for weights of the model; see trainable_weights.
Optimizer make_optimizer(Model& model, const OptimizerOptions& options,
                         const std::vector<std::string>& trainable = {"all"});

}  // namespace lathe
