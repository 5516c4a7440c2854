#include "cli/run_setup.h"

#include "lathe/io/hub_cache.h"
#include "lathe/text/tokenizer_config.h"

namespace lathe {
namespace {

constexpr const char* recipe_file = "recipe.yaml";

void remove_run(const fs::path& folder) {
  for (const char* name : {"checkpoints", "best", "metrics.jsonl", "model", "adapter", "report.md",
                           "loss.svg", recipe_file})
    file_ops().remove_all(folder / name);
}

/// Throws Error if what a run begins with lies in the folder that it would remove.
void require_outside(const std::string& given, const fs::path& folder, const char* what) {
  if (given.empty() || !fs::exists(given)) return;
  const std::string inner = fs::weakly_canonical(given).string() + "/";
  require(!inner.starts_with(fs::weakly_canonical(folder).string() + "/"),
          "--overwrite would remove {}, the {} to begin with: give another output_dir", given,
          what);
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
    require_outside(recipe.model.path, path, "model");
    for (const AdapterSpec& each : recipe.adapter) require_outside(each.path, path, "adapter");
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
