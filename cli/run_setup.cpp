#include "cli/run_setup.h"

#include "cli/dates.h"
#include "lathe/io/hub_cache.h"
#include "lathe/text/tokenizer_config.h"

namespace lathe {
namespace {

constexpr const char* recipe_file = "recipe.yaml";

/// What a run leaves in its folder.
constexpr const char* left_by_a_run[] = {"checkpoints", "best",      "metrics.jsonl", "model",
                                         "adapter",     "report.md", "loss.svg",      recipe_file};

/// Throws Error if what a run begins with is among what it would remove.
void require_outside(const std::string& given, const fs::path& folder, const char* what) {
  if (given.empty() || !fs::exists(given)) return;
  const std::string inner = fs::weakly_canonical(given).string() + "/";
  for (const char* name : left_by_a_run)
    require(!inner.starts_with(fs::weakly_canonical(folder / name).string() + "/"),
            "--overwrite would remove {}, the {} to begin with: give another output_dir", given,
            what);
}

}  // namespace

std::unique_ptr<RunFolder> open_run(Recipe& recipe, Observer& observer) {
  const fs::path path = recipe.train.output_dir;
  const bool goes_on = !recipe.overwrite && fs::exists(path / recipe_file);
  const Value before = goes_on ? load_yaml(path / recipe_file) : Value::map();
  if (recipe.data.chat_template_date.empty()) {
    const Value* day = before.find("chat_template_date");
    recipe.data.chat_template_date = day == nullptr ? today() : day->scalar;
  }
  if (goes_on) {
    const std::vector<std::string> changed = changed_keys(before, to_value(recipe));
    require(changed.empty(),
            "{} holds a run of another recipe; these keys differ: {}. Give another output_dir, the "
            "recipe of that run ({}), or --overwrite to start anew",
            path.string(), fmt::join(changed, ", "), (path / recipe_file).string());
    observer.on_message(format("going on with the run in {}", path.string()));
  }
  file_ops().make_directories(path);
  if (recipe.overwrite) {
    require_outside(recipe.model.path, path, "model");
    require_outside(recipe.tokenizer, path, "tokenizer");
    for (const AdapterSpec& each : recipe.adapter) require_outside(each.path, path, "adapter");
    for (const auto* sources : {&recipe.data.train_data, &recipe.data.valid_data})
      for (const DataSource& each : *sources) require_outside(each.path, path, "data");
  }
  return std::make_unique<RunFolder>(path, recipe.train.save_total_limit);
}

void record_recipe(const RunFolder& folder, const Recipe& recipe) {
  if (recipe.overwrite)
    for (const char* name : left_by_a_run) file_ops().remove_all(folder.path() / name);
  write_file_atomic(folder.path() / recipe_file, to_yaml(to_value(recipe)));
}

Tokenizer load_tokenizer(const Recipe& recipe) {
  const std::string& name = recipe.tokenizer.empty() ? recipe.model.path : recipe.tokenizer;
  Tokenizer tokenizer = Tokenizer::load(locate_model(name, hub_cache_folder()));
  if (!recipe.chat_template_path.empty()) {
    TokenizerFiles files = tokenizer.files();
    files.chat_templates = {
        {default_template, read_file(recipe.chat_template_path, largest_chat_template)}};
    tokenizer = Tokenizer::from_files(files);
  }
  if (recipe.additional_special_tokens.empty()) return tokenizer;
  return tokenizer.with_special_tokens(recipe.additional_special_tokens);
}

}  // namespace lathe
