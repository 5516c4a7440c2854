#include "lathe/optim/optimizer.h"

#include <algorithm>
#include <compare>
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

void Optimizer::set_groups(const std::vector<size_t>& groups) {
  require(groups.size() == parameters_.size(), "expected {} groups, found {}", parameters_.size(),
          groups.size());
  for (size_t i = 0; i < groups.size(); ++i) parameters_[i].group = groups[i];
  group_steps_.assign(groups.empty() ? 1 : *std::ranges::max_element(groups) + 1, steps_);
}

void Optimizer::set_steps(int64_t steps, const std::vector<int64_t>& group_steps) {
  require(group_steps.size() == group_steps_.size(), "expected the steps of {} groups, found {}",
          group_steps_.size(), group_steps.size());
  steps_ = steps;
  group_steps_ = group_steps;
}

std::vector<Tensor> Optimizer::gradients() const {
  std::vector<Tensor> list;
  list.reserve(parameters_.size());
  for (const Parameter& p : parameters_) list.push_back(p.weight.grad());
  return list;
}

double Optimizer::gradient_norm(std::optional<size_t> group) const {
  if (!group) return ops::norm(gradients());
  std::vector<Tensor> list;
  for (const Parameter& p : parameters_)
    if (p.group == *group) list.push_back(p.weight.grad());
  return ops::norm(list);
}

void Optimizer::step(double learning_rate, double gradient_scale) {
  step(std::vector<std::optional<Move>>(group_steps_.size(), Move{learning_rate, gradient_scale}));
}

void Optimizer::step(const std::vector<std::optional<Move>>& moves) {
  require(moves.size() == group_steps_.size(), "expected moves for {} groups, found {}",
          group_steps_.size(), moves.size());
  const at::NoGradGuard no_grad;
  ++steps_;
  for (size_t i = 0; i < moves.size(); ++i)
    if (moves[i]) ++group_steps_[i];
  struct Alike {  // weights that the same numbers apply to
    size_t group;
    bool decays;
    double rate;
    auto operator<=>(const Alike&) const = default;
  };
  std::set<Alike> kinds;
  for (const Parameter& p : parameters_)
    if (moves[p.group])
      kinds.insert({p.group, p.decays, p.rate});
    else
      p.weight.grad().zero_();
  for (const auto& [group, decays, rate] : kinds) {
    std::vector<Tensor> weights, gradients, exp_avgs, exp_avg_sqs;
    for (const Parameter& p : parameters_) {
      if (p.group != group || p.decays != decays || p.rate != rate) continue;
      weights.push_back(p.weight);
      gradients.push_back(p.weight.grad());
      exp_avgs.push_back(p.exp_avg);
      exp_avg_sqs.push_back(p.exp_avg_sq);
    }
    ops::adamw(weights, gradients, exp_avgs, exp_avg_sqs,
               {.learning_rate = moves[group]->learning_rate * rate,
                .beta1 = options_.adam_beta1,
                .beta2 = options_.adam_beta2,
                .eps = options_.adam_epsilon,
                .weight_decay = decays ? options_.weight_decay : 0,
                .gradient_scale = moves[group]->gradient_scale,
                .step = group_steps_[group]});
  }
  if (!has_averages()) return;
  for (const Parameter& p : parameters_) {
    if (!moves[p.group]) continue;
    const auto t = static_cast<double>(group_steps_[p.group]);
    const double kept = std::min(options_.ema_decay, (1 + t) / (10 + t));
    p.average.lerp_(p.weight, 1 - kept);
  }
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
