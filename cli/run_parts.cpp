#include "cli/run_parts.h"

#include <numeric>

#include "lathe/io/gguf.h"
#include "lathe/io/hub_cache.h"
#include "lathe/model/classifier.h"
#include "lathe/model/files.h"
#include "lathe/model/resize.h"
#include "lathe/objective/classify.h"
#include "lathe/objective/next_token.h"

namespace lathe {

namespace {

/// Rows longer than what the model was made for: an error where it has no positions for them.
void check_context(const Model& model, int64_t max_length, Observer& observer) {
  const ModelConfig& config = model.config();
  if (max_length <= config.max_position_embeddings) return;
  const std::string found = format("max_length is {}, but the model was made for {} positions",
                                   max_length, config.max_position_embeddings);
  require(!config.learned_positions, "{}, and has learned no others: give a max_length up to that",
          found);
  observer.on_message(found + ": it may do badly on what lies beyond");
}

}  // namespace

std::unique_ptr<Model> make_model(Recipe& recipe, const Tokenizer& tokenizer, Observer& observer) {
  std::unique_ptr<Model> model;
  if (!recipe.model.path.empty()) {
    const fs::path path = locate_model(recipe.model.path, hub_cache_folder());
    const WeightFormat format = recipe.quantization.format();
    // Beside an adapter the weights do not change: in bfloat16 they may stay as the file has them.
    const bool as_stored = !recipe.adapter.empty() && recipe.train.bf16 && !is_gguf(path) &&
                           format == WeightFormat::plain;
    model = as_stored ? load_model(path, std::nullopt, WeightMemory::mapped)
                      : load_model(path, at::kFloat, WeightMemory::owned, format);
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
  check_context(*model, recipe.data.max_length, observer);
  model->set_compute_dtype(recipe.train.bf16 ? at::kBFloat16 : at::kFloat);
  model->set_gradient_checkpointing(recipe.train.gradient_checkpointing);
  return model;
}

std::unique_ptr<Model> with_outputs(std::unique_ptr<Model> model, Recipe& recipe,
                                    const Dataset& data) {
  require(recipe.classifies() || !model->is_classifier(),
          "the model classifies texts: to train it further give objective: classify");
  if (!recipe.classifies() || model->is_classifier()) return model;
  const std::string problem_type(problem_type_name(data.labels->type));
  model = classifier_of(*model, data.labels->names, problem_type,
                        static_cast<uint64_t>(recipe.train.seed));
  model->set_gradient_checkpointing(recipe.train.gradient_checkpointing);
  // transformers finds the end of a padded text by it.
  if (!model->config().pad_token_id) model->mutable_config().pad_token_id = data.pad_id;
  recipe.train.trainable.emplace_back("head");
  return model;
}

std::unique_ptr<Objective> make_objective(const Recipe& recipe, const Dataset& data) {
  if (!recipe.classifies()) return std::make_unique<NextToken>();
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
