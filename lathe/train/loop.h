// The one training loop. It names no method and no device count: what is trained, from what,
// towards what and on how many processes are its arguments.
#pragma once

#include <functional>
#include <optional>

#include "lathe/data/source.h"
#include "lathe/objective/objective.h"
#include "lathe/optim/optimizer.h"
#include "lathe/parallel/parallel.h"
#include "lathe/train/observer.h"
#include "lathe/train/options.h"
#include "lathe/train/run_folder.h"

namespace lathe {

/// One of several that learn in one run, each from the rows that are its own. It is a group of the
/// optimizer's weights, and takes its step when a batch has targets of it.
struct Learner {
  std::string name;
  std::string term;          ///< of the objective, its loss
  double loss_weight = 1;    ///< what that is multiplied with
  double learning_rate = 0;  ///< at its largest; the schedule is the run's
  double max_grad_norm = 0;  ///< to which its own gradients are clipped; 0: not
};

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
  std::vector<Learner> learners = {};    ///< of each group of the optimizer; empty: there is one
};

/// Trains until `options.max_steps`, or validations get no better, from the newest checkpoint if
/// the folder has one. Returns the step after which the weights were as they are now, nothing if
/// the observer asked to stop before the end. Throws Error when the
/// loss or a gradient is not finite; weights and checkpoints are then those of the step before.
std::optional<int64_t> train(Training& run, const TrainOptions& options);

/// Marks the weights to train, of the model or beside it, and returns an optimizer for them.
Optimizer make_optimizer(Model& model, const OptimizerOptions& options,
                         const std::vector<NamedTensor>& trained);

/// The same for weights of the model; see trainable_weights.
Optimizer make_optimizer(Model& model, const OptimizerOptions& options,
                         const std::vector<std::string>& trainable = {"all"});

}  // namespace lathe
