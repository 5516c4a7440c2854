#include "cli/recipe.h"

#include <algorithm>
#include <set>

namespace lathe {

void ModelSpec::fields(Fields& f) {
  f("path", path, "Directory of a model to start from; leave it out to start from random weights.",
    {.placeholder = "DIR"});
  config.fields(f);
}

std::vector<std::string> Recipe::adapter_names() const {
  std::vector<std::string> names;
  for (const AdapterSpec& each : adapter)
    if (!each.name.empty()) names.push_back(each.name);
  return names;
}

void Recipe::fields(Fields& f) {
  f("recipe", recipe, "YAML file with the options below.",
    {.placeholder = "FILE", .command_line = true});
  f.group("Model");
  f("model", model, "A directory, or the sizes of a new model.",
    {.aliases = {"model_name_or_path", "base_model"}, .required = true});
  f("adapter", adapter,
    "Small layers beside those of the model, which are trained in their place: a directory, or "
    "what to make; several are trained together, what one gives is read by the next, or, if they "
    "have names, each "
    "by rows of its own.",
    {.one_word = true});
  quantization.fields(f);
  f("tokenizer", tokenizer, "Directory of the tokenizer; by default that of the model.",
    {.aliases = {"tokenizer_name_or_path"}, .placeholder = "DIR"});
  f("chat_template_path", chat_template_path,
    "File with the chat template that conversations are written by; by default the tokenizer's.",
    {.placeholder = "FILE"});
  f("additional_special_tokens", additional_special_tokens,
    "Tokens to add to tokenizer and model; their embeddings begin as the mean of the others.",
    {.aliases = {"new_special_tokens"}, .advanced = true});
  f("objective", objective,
    "What is minimised: next_token, the loss of a language model; classify, that of a new output "
    "layer that labels texts.",
    {.choices = {"next_token", "classify"}});
  f("problem_type", problem_type,
    "What a text's label is: one class, several, or a number; auto: as the labels look.",
    {.choices = {"auto", "single_label_classification", "multi_label_classification",
                 "regression"}});
  f("class_weight", class_weight,
    "balanced: a text counts more the rarer its class is, so that all classes count the same.",
    {.choices = {"none", "balanced"}});
  data.fields(f);
  train.fields(f);
  f("sample_prompt", sample_prompt, "Text that the sample at each validation continues.");
  f("sample_tokens", sample_tokens, "Length of that sample; 0: none.",
    {.minimum = 0, .unit = "tokens"});
  f("overwrite", overwrite, "Start anew, and remove what a run left in output_dir.",
    {.command_line = true});
  runtime.fields(f);
}

void Recipe::check() const {
  const bool from_path = !model.path.empty();
  const bool from_sizes = model.config.hidden_size > 0;
  require(from_path != from_sizes,
          "\"model\": expected either a directory or the sizes of a new model (hidden_size, "
          "intermediate_size, num_hidden_layers, num_attention_heads)");
  const std::vector<std::string> names = adapter_names();
  require(names.empty() || names.size() == adapter.size(),
          "\"adapter\": expected a name for each of them, so that rows can choose, or for none, so "
          "that all rows use all");
  require(std::set(names.begin(), names.end()).size() == names.size(),
          "\"adapter\": expected names that differ, found {}", fmt::join(names, ", "));
  require(
      names.empty() || !classifies(),
      "\"adapter\": with objective: classify each has an output layer of its own, between which "
      "rows cannot choose: train them one at a time");
  for (const auto* list : {&data.train_data, &data.valid_data})
    for (const DataSource& source : *list)
      require(source.adapter.empty() || std::ranges::find(names, source.adapter) != names.end(),
              "{}: adapter: {}, but no adapter has that name", source.path, source.adapter);
  require(adapter.empty() || from_path,
          "\"adapter\": it needs a model that exists, because only the adapter is written");
  require(
      adapter.empty() || additional_special_tokens.empty(),
      "\"additional_special_tokens\": an adapter cannot add tokens to its model; add them to the "
      "model first");
  require(adapter.empty() || train.trainable == std::vector<std::string>{"all"},
          "\"trainable\": an adapter is trained, and nothing else; modules_to_save of the adapter "
          "names what is trained whole beside it");
  require(quantization.format() == WeightFormat::plain || !adapter.empty(),
          "load_in_4bit and keep_quantized: quantised weights cannot be trained: give an adapter, "
          "such as peft_type: LORA");
  require(from_path || !tokenizer.empty(),
          "\"tokenizer\": a new model needs one; make it with `lathe tokenizer`");
}

}  // namespace lathe
