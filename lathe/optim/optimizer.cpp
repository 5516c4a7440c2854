#include "lathe/optim/optimizer.h"

#include <set>

#include "lathe/ops/adamw.h"
#include "lathe/ops/quantized.h"

namespace lathe {

Optimizer::Optimizer(const std::vector<std::pair<std::string, Tensor>>& weights,
                     OptimizerOptions options)
    : options_(std::move(options)) {
  for (const auto& [name, weight] : weights) {
    require(!ops::is_quantized(weight),
            "{}: a quantised weight cannot be trained: train an adapter, or open the model without "
            "load_in_4bit and keep_quantized",
            name);
    weight.mutable_grad() = at::zeros_like(weight);
    parameters_.push_back({.name = name,
                           .weight = weight,
                           .exp_avg = at::zeros_like(weight),
                           .exp_avg_sq = at::zeros_like(weight),
                           .average = has_averages() ? weight.detach().clone() : Tensor(),
                           .decays = weight.dim() >= 2});
  }
}

void Optimizer::set_rates(const std::vector<double>& rates) {
  require(rates.size() == parameters_.size(), "expected {} rates, found {}", parameters_.size(),
          rates.size());
  for (size_t i = 0; i < rates.size(); ++i) parameters_[i].rate = rates[i];
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
  std::set<std::pair<bool, double>> groups;
  for (const Parameter& p : parameters_) groups.emplace(p.decays, p.rate);
  for (const auto& [decays, rate] : groups) {
    std::vector<Tensor> weights, gradients, exp_avgs, exp_avg_sqs;
    for (const Parameter& p : parameters_) {
      if (p.decays != decays || p.rate != rate) continue;
      weights.push_back(p.weight);
      gradients.push_back(p.weight.grad());
      exp_avgs.push_back(p.exp_avg);
      exp_avg_sqs.push_back(p.exp_avg_sq);
    }
    ops::adamw(weights, gradients, exp_avgs, exp_avg_sqs,
               {.learning_rate = learning_rate * rate,
                .beta1 = options_.adam_beta1,
                .beta2 = options_.adam_beta2,
                .eps = options_.adam_epsilon,
                .weight_decay = decays ? options_.weight_decay : 0,
                .gradient_scale = gradient_scale,
                .step = steps_});
  }
  if (!has_averages()) return;
  const auto t = static_cast<double>(steps_);
  const double kept = std::min(options_.ema_decay, (1 + t) / (10 + t));
  for (const Parameter& p : parameters_) p.average.lerp_(p.weight, 1 - kept);
}

void Optimizer::swap_averages() {
  const at::NoGradGuard no_grad;
  for (const Parameter& p : parameters_) {
    const Tensor weight = p.weight.clone();
    p.weight.copy_(p.average);
    p.average.copy_(weight);
  }
}

}  // namespace lathe
