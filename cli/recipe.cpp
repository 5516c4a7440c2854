#include "cli/recipe.h"

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
  f("cloze_data", cloze_data,
    "Files with questions that are asked at each validation, measured as cloze_accuracy: rows of "
    "prompt, choices and answer.",
    {.placeholder = "FILE"});
  f("sample_prompt", sample_prompt, "Text that the sample at each validation continues.");
  f("sample_tokens", sample_tokens, "Length of that sample; 0: none.",
    {.minimum = 0, .unit = "tokens"});
  f("overwrite", overwrite, "Start anew, and remove what a run left in output_dir.",
    {.command_line = true});
  runtime.fields(f);
}

}  // namespace lathe
