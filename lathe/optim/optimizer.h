#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lathe/base/tensor.h"
#include "lathe/optim/options.h"

namespace lathe {

/// AdamW over named weights. Knows nothing of what they belong to. Each weight gets a buffer for
/// its gradient that stays for the whole training: what backward passes add to it is taken by
/// `step`.
class Optimizer {
 public:
  struct Parameter {
    std::string name;
    Tensor weight;  // float32 or float64; changed in place
    Tensor exp_avg, exp_avg_sq;
    Tensor average;    // of the weight over the steps, if there is an ema_decay
    bool decays;       // matrices decay, norms and biases do not
    double rate = 1;   // how many times the learning rate of a step is its own
    size_t group = 0;  // of weights that take their steps together
  };
  /// What a step does with a group.
  struct Move {
    double learning_rate;
    double gradient_scale;
  };

  Optimizer(const std::vector<std::pair<std::string, Tensor>>& weights, OptimizerOptions options);

  /// Sets the rate of each weight, in their order.
  void set_rates(const std::vector<double>& rates);
  /// Sets the group of each weight, in their order, numbered from 0.
  void set_groups(const std::vector<size_t>& groups);
  /// The gradients of all weights.
  std::vector<Tensor> gradients() const;
  /// The Euclidean norm of all gradients together, or of those of a group.
  double gradient_norm(std::optional<size_t> group = {}) const;
  /// One step of all weights, with gradients times `gradient_scale`, which are zero afterwards.
  void step(double learning_rate, double gradient_scale);
  /// One step of each group for which there is a move; the others stay as they are, moments too,
  /// and their gradients are zero afterwards as well.
  void step(const std::vector<std::optional<Move>>& moves);

  bool has_averages() const { return options_.ema_decay > 0; }
  /// Puts the averages in the place of the weights, and the weights in theirs.
  void swap_averages();

  int64_t steps() const { return steps_; }
  /// How many of them each group took part in.
  const std::vector<int64_t>& group_steps() const { return group_steps_; }
  void set_steps(int64_t steps, const std::vector<int64_t>& group_steps);
  const OptimizerOptions& options() const { return options_; }
  std::vector<Parameter>& parameters() { return parameters_; }

 private:
  OptimizerOptions options_;
  std::vector<Parameter> parameters_;
  int64_t steps_ = 0;
  std::vector<int64_t> group_steps_ = {0};
};

/// Averages in the place of the weights for as long as it lives; nothing where there are none.
class AveragesInPlace {
 public:
  explicit AveragesInPlace(Optimizer& optimizer) : optimizer_(optimizer) { swap(); }
  ~AveragesInPlace() { swap(); }
  AveragesInPlace(const AveragesInPlace&) = delete;
  AveragesInPlace& operator=(const AveragesInPlace&) = delete;

 private:
  void swap() {
    if (optimizer_.has_averages()) optimizer_.swap_averages();
  }
  Optimizer& optimizer_;
};

}  // namespace lathe
