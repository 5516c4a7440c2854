#include "cli/trained.h"

#include <set>

#include "lathe/base/random.h"
#include "lathe/train/trainable.h"

namespace lathe {
namespace {

Learner learner_of(const Recipe& recipe, size_t adapter) {
  const AdapterSpec& spec = recipe.adapter[adapter];
  const OptimizerOptions& run = recipe.train.optimizer;
  return {.name = spec.name,
          .term = term_of_adapter("loss", static_cast<int64_t>(adapter)),
          .loss_weight = spec.loss_weight,
          .learning_rate = spec.learning_rate.value_or(run.learning_rate),
          .max_grad_norm = spec.max_grad_norm.value_or(run.max_grad_norm)};
}

}  // namespace

Adapters make_adapters(const Recipe& recipe, Model& model) {
  Adapters adapters;
  for (const AdapterSpec& spec : recipe.adapter) {
    auto seed = static_cast<uint64_t>(recipe.train.seed);
    if (!adapters.empty()) seed = stream_seed(seed, "adapter", adapters.size());
    adapters.push_back(spec.path.empty() ? Adapter::make(model, spec.options, seed)
                                         : Adapter::load(model, spec.path));
  }
  return adapters;
}

TrainedWeights trained_weights(const Recipe& recipe, Model& model, const Adapters& adapters) {
  TrainedWeights all;
  if (adapters.empty()) all.weights = trainable_weights(model, recipe.train.trainable);
  std::set<const Tensor*> there;  // several may save the same module
  for (size_t i = 0; i < adapters.size(); ++i) {
    const std::vector<NamedTensor> weights = adapters[i]->named_tensors();
    const std::string& called = recipe.adapter[i].name;
    const Learner learner = learner_of(recipe, i);
    if (!called.empty()) all.learners.push_back(learner);
    const std::vector<double> rates = adapters[i]->learning_rate_factors(learner.learning_rate);
    for (size_t w = 0; w < weights.size(); ++w) {
      if (!there.insert(weights[w].tensor).second) continue;
      const std::string prefix = !called.empty() ? called + "." : i > 0 ? format("{}.", i + 1) : "";
      all.weights.push_back({prefix + weights[w].name, weights[w].tensor});
      all.rates.push_back(rates[w]);
      if (!called.empty()) all.groups.push_back(i);
    }
  }
  return all;
}

Optimizer optimizer_for(const TrainedWeights& trained, const Recipe& recipe, Model& model) {
  Optimizer optimizer = make_optimizer(model, recipe.train.optimizer, trained.weights);
  if (!trained.rates.empty()) optimizer.set_rates(trained.rates);
  if (!trained.groups.empty()) optimizer.set_groups(trained.groups);
  return optimizer;
}

}  // namespace lathe
