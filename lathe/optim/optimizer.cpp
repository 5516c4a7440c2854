#include "lathe/optim/optimizer.h"

#include "lathe/ops/adamw.h"

namespace lathe {

Optimizer::Optimizer(const std::vector<std::pair<std::string, Tensor>>& weights,
                     OptimizerOptions options)
    : options_(std::move(options)) {
  for (const auto& [name, weight] : weights) {
    weight.mutable_grad() = at::zeros_like(weight);
    parameters_.push_back(
        {name, weight, at::zeros_like(weight), at::zeros_like(weight), weight.dim() >= 2});
  }
}

std::vector<Tensor> Optimizer::gradients() const {
  std::vector<Tensor> list;
  list.reserve(parameters_.size());
  for (const Parameter& p : parameters_) list.push_back(p.weight.grad());
  return list;
}

double Optimizer::gradient_norm() const {
  return ops::norm(gradients());
}

void Optimizer::step(double learning_rate, double gradient_scale) {
  const at::NoGradGuard no_grad;
  ++steps_;
  for (const bool decays : {true, false}) {
    std::vector<Tensor> weights, gradients, exp_avgs, exp_avg_sqs;
    for (const Parameter& p : parameters_) {
      if (p.decays != decays) continue;
      weights.push_back(p.weight);
      gradients.push_back(p.weight.grad());
      exp_avgs.push_back(p.exp_avg);
      exp_avg_sqs.push_back(p.exp_avg_sq);
    }
    ops::adamw(weights, gradients, exp_avgs, exp_avg_sqs,
               {.learning_rate = learning_rate,
                .beta1 = options_.adam_beta1,
                .beta2 = options_.adam_beta2,
                .eps = options_.adam_epsilon,
                .weight_decay = decays ? options_.weight_decay : 0,
                .gradient_scale = gradient_scale,
                .step = steps_});
  }
}

}  // namespace lathe
