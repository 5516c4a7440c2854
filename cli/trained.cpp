#include "cli/trained.h"

#include <map>
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

/// How many documents each of the adapters learns, if rows choose between them.
std::string shares_of(const Dataset& data) {
  if (data.adapters.empty()) return {};
  std::map<std::string, uint64_t> documents;
  for (const Pool& pool : data.train) {  // each has those of one
    const DocumentRef any = pool.documents[0];
    documents[any.cache->adapters()[any.document]] += pool.documents.size();
  }
  std::vector<std::string> shares;
  for (const auto& [name, count] : documents) shares.push_back(format("{} of {}", count, name));
  return format(" ({})", fmt::join(shares, ", "));
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

std::string describe_run(const Recipe& recipe, Model& model, const TrainedWeights& trained,
                         const Dataset& data) {
  double numbers = 0;
  for (const NamedTensor& weight : trained.weights)
    numbers += static_cast<double>(weight.tensor->numel());
  const auto all = static_cast<double>(model.parameter_count());
  uint64_t tokens = 0;
  for (const Pool& pool : data.train) tokens += pool.documents.tokens();
  return format(
      "model: {}, {:.2f} M parameters in {:.1f} MB, {}\ntrained: {:.0f} parameters, {:.3g} % of "
      "the "
      "model\ndata: {}{}; {} tokens to train on, {} documents to "
      "validate on\nsteps: {} of {} x {} tokens",
      model.config().model_type, all / 1e6, static_cast<double>(model.weight_bytes()) / 1e6,
      recipe.train.bf16 ? "bfloat16" : "float32", numbers, 100 * numbers / all,
      data.train_report.summary(), shares_of(data), tokens, data.validation.size(),
      recipe.train.max_steps,
      recipe.data.per_device_train_batch_size * recipe.train.gradient_accumulation_steps,
      recipe.data.max_length);
}

}  // namespace lathe
