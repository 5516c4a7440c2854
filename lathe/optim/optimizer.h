#pragma once

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
    bool decays;  // matrices decay, norms and biases do not
  };

  Optimizer(const std::vector<std::pair<std::string, Tensor>>& weights, OptimizerOptions options);

  /// The gradients of all weights.
  std::vector<Tensor> gradients() const;
  /// The Euclidean norm of all gradients together.
  double gradient_norm() const;
  /// One step with gradients times `gradient_scale`, which are zero afterwards.
  void step(double learning_rate, double gradient_scale);

  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }
  const OptimizerOptions& options() const { return options_; }
  std::vector<Parameter>& parameters() { return parameters_; }

 private:
  OptimizerOptions options_;
  std::vector<Parameter> parameters_;
  int64_t steps_ = 0;
};

}  // namespace lathe
