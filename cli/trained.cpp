#include "cli/trained.h"

#include <set>

#include "lathe/base/random.h"
#include "lathe/train/trainable.h"

namespace lathe {

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
    const std::vector<double> rates =
        adapters[i]->learning_rate_factors(recipe.train.optimizer.learning_rate);
    for (size_t w = 0; w < weights.size(); ++w) {
      if (!there.insert(weights[w].tensor).second) continue;
      const std::string name = i == 0 ? weights[w].name : format("{}.{}", i + 1, weights[w].name);
      all.weights.push_back({name, weights[w].tensor});
      all.rates.push_back(rates[w]);
    }
  }
  return all;
}

}  // namespace lathe
