#include "cli/run_setup.h"

#include "lathe/io/hub_cache.h"
#include "lathe/model/files.h"
#include "lathe/model/resize.h"

namespace lathe {
namespace {

constexpr const char* recipe_file = "recipe.yaml";

void remove_run(const fs::path& folder) {
  for (const char* name : {"checkpoints", "metrics.jsonl", "model", recipe_file})
    file_ops().remove_all(folder / name);
}

}  // namespace

std::unique_ptr<RunFolder> open_run(const Recipe& recipe, Observer& observer) {
  const fs::path path = recipe.train.output_dir;
  if (!recipe.overwrite && fs::exists(path / recipe_file)) {
    const std::vector<std::string> changed =
        changed_keys(load_yaml(path / recipe_file), to_value(recipe));
    require(changed.empty(),
            "{} holds a run of another recipe; these keys differ: {}. Give another output_dir, the "
            "recipe of that run ({}), or --overwrite to start anew",
            path.string(), fmt::join(changed, ", "), (path / recipe_file).string());
    observer.on_message(format("going on with the run in {}", path.string()));
  }
  file_ops().make_directories(path);
  if (recipe.overwrite) {
    const FileLock lock(path / "lock");  // not while another process trains there
    remove_run(path);
  }
  return std::make_unique<RunFolder>(path, recipe.train.save_total_limit);
}

void record_recipe(const RunFolder& folder, const Recipe& recipe) {
  write_file_atomic(folder.path() / recipe_file, to_yaml(to_value(recipe)));
}

Tokenizer load_tokenizer(const Recipe& recipe) {
  const std::string& name = recipe.tokenizer.empty() ? recipe.model.path : recipe.tokenizer;
  const Tokenizer tokenizer = Tokenizer::load(locate_model(name, hub_cache_folder()));
  if (recipe.additional_special_tokens.empty()) return tokenizer;
  return tokenizer.with_special_tokens(recipe.additional_special_tokens);
}

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

Dataset load_data(Recipe& recipe, const Tokenizer& tokenizer, ProgressLine& line) {
  if (recipe.data.cache_dir.empty()) recipe.data.cache_dir = default_cache_folder().string();
  Dataset data = open_dataset(recipe.data, tokenizer, static_cast<uint64_t>(recipe.train.seed),
                              data_progress(line));
  line.end();
  return data;
}

int64_t total_steps(const Recipe& recipe, const Source& source, int world) {
  if (recipe.train.max_steps >= 0) return recipe.train.max_steps;
  const double rows = static_cast<double>(recipe.data.per_device_train_batch_size *
                                          recipe.train.gradient_accumulation_steps * world);
  const double steps = static_cast<double>(source.rows_per_epoch()) / rows;
  return std::max<int64_t>(1, std::llround(std::ceil(steps * recipe.train.num_train_epochs)));
}

}  // namespace lathe
