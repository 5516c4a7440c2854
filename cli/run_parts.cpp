#include "cli/run_parts.h"

#include <numeric>

#include "lathe/io/hub_cache.h"
#include "lathe/model/classifier.h"
#include "lathe/model/files.h"
#include "lathe/model/resize.h"
#include "lathe/objective/classify.h"
#include "lathe/objective/next_token.h"
#include "lathe/train/frozen_part.h"
#include "lathe/train/trainable.h"

namespace lathe {
namespace {

bool classifies(const Recipe& recipe) {
  return recipe.objective == "classify";
}

/// max_steps, or the steps that num_train_epochs take.
int64_t total_steps(const Recipe& recipe, const Source& source, int world) {
  if (recipe.train.max_steps >= 0) return recipe.train.max_steps;
  const double rows = static_cast<double>(recipe.data.per_device_train_batch_size *
                                          recipe.train.gradient_accumulation_steps * world);
  const double steps = static_cast<double>(source.rows_per_epoch()) / rows;
  return std::max<int64_t>(1, std::llround(std::ceil(steps * recipe.train.num_train_epochs)));
}

/// The output of the layers that do not change, if the data is read more than once.
std::shared_ptr<const FrozenStates> kept_states(const Recipe& recipe, Model& model,
                                                const Dataset& data, const Source& source,
                                                ProgressLine& line) {
  const int64_t rows = recipe.train.max_steps * recipe.data.per_device_train_batch_size *
                       recipe.train.gradient_accumulation_steps;
  const int64_t layers = frozen_layers(model, trainable_weights(model, recipe.train.trainable));
  if (!recipe.train.frozen_cache || layers == 0 || rows <= source.rows_per_epoch()) return nullptr;
  const StateStore store{.folder = fs::path(recipe.data.cache_dir) / "states",
                         .limit = static_cast<uint64_t>(recipe.train.frozen_cache_limit * 1e9),
                         .progress = states_progress(line)};
  const FrozenPart part = frozen_part(model, layers, data, recipe.data, store);
  const std::string what =
      format("the output of the lowest {} layers, which do not change", layers);
  if (!part.obstacle.empty()) {
    line.print(format("{}, is computed anew in every epoch: {}", what, part.obstacle));
    return nullptr;
  }
  line.print(format("{}, is kept: {:.2f} GB in {}", what, static_cast<double>(part.bytes) / 1e9,
                    store.folder.string()));
  auto states = frozen_states(model, part, data, store);
  line.end();
  return states;
}

}  // namespace

std::unique_ptr<Model> make_model(Recipe& recipe, const Tokenizer& tokenizer) {
  std::unique_ptr<Model> model;
  if (!recipe.model.path.empty()) {
    model = load_model(locate_model(recipe.model.path, hub_cache_folder()), at::kFloat);
  } else {
    ModelConfig& config = recipe.model.config;
    if (config.vocab_size == 0) config.vocab_size = tokenizer.vocab_size();
    if (!config.bos_token_id) config.bos_token_id = tokenizer.bos_id();
    if (!config.pad_token_id) config.pad_token_id = tokenizer.pad_id();
    if (config.eos_token_id.empty() && tokenizer.eos_id())
      config.eos_token_id = {*tokenizer.eos_id()};
    config.max_position_embeddings =
        std::max(config.max_position_embeddings, recipe.data.max_length);
    model = new_model(config, static_cast<uint64_t>(recipe.train.seed));
  }
  if (!recipe.additional_special_tokens.empty())
    resize_token_embeddings(*model, std::max(tokenizer.vocab_size(), model->config().vocab_size));
  require(tokenizer.vocab_size() <= model->config().vocab_size,
          "the tokenizer has {} tokens, but the model's vocab_size is {}", tokenizer.vocab_size(),
          model->config().vocab_size);
  model->set_compute_dtype(recipe.train.bf16 ? at::kBFloat16 : at::kFloat);
  model->set_gradient_checkpointing(recipe.train.gradient_checkpointing);
  return model;
}

Dataset load_data(Recipe& recipe, const Tokenizer& tokenizer, const Model& model,
                  ProgressLine& line) {
  if (recipe.data.cache_dir.empty()) recipe.data.cache_dir = default_cache_folder().string();
  Labels labels{.wanted = classifies(recipe)};
  if (recipe.problem_type != "auto") labels.problem_type = problem_type_named(recipe.problem_type);
  if (model.is_classifier())
    labels.known = {problem_type_named(model.config().problem_type), model.config().labels};
  Dataset data = open_dataset(recipe.data, tokenizer, static_cast<uint64_t>(recipe.train.seed),
                              data_progress(line), labels);
  line.end();
  return data;
}

std::unique_ptr<Model> with_outputs(std::unique_ptr<Model> model, Recipe& recipe,
                                    const Dataset& data) {
  require(classifies(recipe) || !model->is_classifier(),
          "the model classifies texts: to train it further give objective: classify");
  if (!classifies(recipe) || model->is_classifier()) return model;
  const std::string problem_type(problem_type_name(data.labels->type));
  model = classifier_of(*model, data.labels->names, problem_type,
                        static_cast<uint64_t>(recipe.train.seed));
  model->set_gradient_checkpointing(recipe.train.gradient_checkpointing);
  // transformers finds the end of a padded text by it.
  if (!model->config().pad_token_id) model->mutable_config().pad_token_id = data.pad_id;
  recipe.train.trainable.emplace_back("head");
  return model;
}

std::unique_ptr<Source> make_source(Recipe& recipe, Model& model, Dataset& data,
                                    const Parallel& parallel, ProgressLine& line) {
  const auto source = [&] {
    return training_source(data, recipe.data, static_cast<uint64_t>(recipe.train.seed),
                           parallel.rank(), parallel.world());
  };
  std::unique_ptr<Source> made = source();
  recipe.train.max_steps = total_steps(recipe, *made, parallel.world());
  data.states = kept_states(recipe, model, data, *made, line);
  return data.states ? source() : std::move(made);
}

std::unique_ptr<Objective> make_objective(const Recipe& recipe, const Dataset& data) {
  if (!classifies(recipe)) return std::make_unique<NextToken>();
  std::vector<float> weights;
  if (recipe.class_weight == "balanced") {
    const std::vector<int64_t> counts = label_counts(data);
    const auto texts = static_cast<double>(std::reduce(counts.begin(), counts.end()));
    for (const int64_t count : counts)
      weights.push_back(
          static_cast<float>(texts / (static_cast<double>(counts.size()) *
                                      static_cast<double>(std::max<int64_t>(1, count)))));
  }
  return std::make_unique<Classify>(data.labels->type, weights);
}

}  // namespace lathe
