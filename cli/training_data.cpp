#include "cli/training_data.h"

#include "lathe/adapt/files.h"
#include "lathe/io/hub_cache.h"

namespace lathe {

Dataset load_data(Recipe& recipe, const Tokenizer& tokenizer, const Model& model,
                  ProgressLine& line) {
  if (recipe.data.cache_dir.empty()) recipe.data.cache_dir = default_cache_folder().string();
  Labels labels{.wanted = recipe.classifies()};
  if (recipe.problem_type != "auto") labels.problem_type = problem_type_named(recipe.problem_type);
  for (const AdapterSpec& each : recipe.adapter)
    if (const AdapterFacts facts = read_adapter_facts(each.path); !facts.labels.empty())
      labels.known = {problem_type_named(facts.problem_type), facts.labels};
  if (model.is_classifier())
    labels.known = {problem_type_named(model.config().problem_type), model.config().labels};
  if (labels.known && labels.problem_type.value_or(labels.known->type) != labels.known->type)
    fail("\"problem_type\": expected that of the model, {}, found {}",
         problem_type_name(labels.known->type), recipe.problem_type);
  Dataset data = open_dataset(recipe.data, tokenizer, static_cast<uint64_t>(recipe.train.seed),
                              data_progress(line), labels, recipe.adapter_names());
  line.end();
  require_known_tokens(data, model.config().vocab_size, tokenizer);
  return data;
}

}  // namespace lathe
