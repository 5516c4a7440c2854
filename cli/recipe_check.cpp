// What a recipe may not say at once: found before anything is read or written.
#include <algorithm>
#include <set>

#include "cli/recipe.h"

namespace lathe {
namespace {

/// Several adapters with names are chosen between by rows.
void check_names(const Recipe& recipe) {
  const std::vector<std::string> names = recipe.adapter_names();
  require(names.empty() || names.size() == recipe.adapter.size(),
          "\"adapter\": expected a name for each of them, so that rows can choose, or for none, so "
          "that all rows use all");
  require(std::set(names.begin(), names.end()).size() == names.size(),
          "\"adapter\": expected names that differ, found {}", fmt::join(names, ", "));
  require(
      names.empty() || !recipe.classifies(),
      "\"adapter\": with objective: classify each has an output layer of its own, between which "
      "rows cannot choose: train them one at a time");
  for (const auto* list : {&recipe.data.train_data, &recipe.data.valid_data})
    for (const DataSource& source : *list)
      require(source.adapter.empty() || std::ranges::find(names, source.adapter) != names.end(),
              "{}: adapter: {}, but no adapter has that name", source.path, source.adapter);
}

void check_adapters(const Recipe& recipe) {
  if (recipe.adapter.empty()) return;
  require(!recipe.model.path.empty(),
          "\"adapter\": it needs a model that exists, because only the adapter is written");
  require(
      recipe.additional_special_tokens.empty(),
      "\"additional_special_tokens\": an adapter cannot add tokens to its model; add them to the "
      "model first");
  require(
      recipe.train.trainable == std::vector<std::string>{"all"},
      "\"trainable\": an adapter is trained, and nothing else: give trainable: all, or leave it "
      "out; modules_to_save of the adapter names what is trained whole beside it");
}

void check_questions(const Recipe& recipe) {
  if (recipe.cloze_data.empty()) return;
  require(!recipe.classifies() && recipe.adapter_names().empty(),
          "\"cloze_data\": a language model can be asked, but not a classifier, nor several "
          "adapters that rows choose between");
  require(!recipe.data.valid_data.empty() || recipe.data.validation_split > 0,
          "\"cloze_data\": questions are asked at validations: give valid_data or "
          "validation_split");
}

}  // namespace

void Recipe::check() const {
  require(classifies() || (problem_type == "auto" && class_weight == "none"),
          "\"problem_type\", \"class_weight\": only texts that are classified have labels: give "
          "objective: classify, or leave them out");
  const bool from_path = !model.path.empty();
  const bool from_sizes = model.config.hidden_size > 0;
  require(from_path != from_sizes,
          "\"model\": expected either a directory or the sizes of a new model (hidden_size, "
          "intermediate_size, num_hidden_layers, num_attention_heads)");
  require(from_path || !tokenizer.empty(),
          "\"tokenizer\": a new model needs one; make it with `lathe tokenizer`");
  check_names(*this);
  check_adapters(*this);
  check_questions(*this);
  train.best.check(!data.valid_data.empty() || data.validation_split > 0, train.eval_steps);
  require(quantization.format() == WeightFormat::plain || !adapter.empty(),
          "load_in_4bit and keep_quantized: quantised weights cannot be trained: give an adapter, "
          "such as peft_type: LORA");
}

}  // namespace lathe
