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
  double sum = 0;
  for (const Tensor& gradient : gradients()) sum += ops::sum_of_squares(gradient);
  return std::sqrt(sum);
}

void Optimizer::step(double learning_rate, double gradient_scale) {
  const at::NoGradGuard no_grad;
  ++steps_;
  for (Parameter& p : parameters_)
    ops::adamw(p.weight, p.weight.grad(), p.exp_avg, p.exp_avg_sq,
               {.learning_rate = learning_rate,
                .beta1 = options_.adam_beta1,
                .beta2 = options_.adam_beta2,
                .eps = options_.adam_epsilon,
                .weight_decay = p.decays ? options_.weight_decay : 0,
                .gradient_scale = gradient_scale,
                .step = steps_});
}

}  // namespace lathe
