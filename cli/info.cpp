// lathe info: what a model is, and what it takes to train it.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/model_text.h"
#include "cli/recipe.h"
#include "cli/runtime.h"
#include "lathe/adapt/drawing.h"
#include "lathe/adapt/files.h"
#include "lathe/io/hub_cache.h"
#include "lathe/model/inspect.h"
#include "lathe/model/memory.h"
#include "lathe/text/chat_template.h"

namespace lathe {
namespace {

struct InfoOptions {
  std::string model;
  AdapterSpec adapter;
  bool json = false;
  int64_t rows = 8, max_length = 1024;

  void fields(Fields& f) {
    f("model", model, "A model's directory, or its name (org/name) in the Hugging Face cache.",
      {.placeholder = "PATH", .required = true});
    f("adapter", adapter, "An adapter to draw: its directory, or what to make, as in recipes.");
    f("json", json, "Print one JSON object.");
    f("per_device_train_batch_size", rows, "Rows of the training whose memory is estimated.",
      {.minimum = 1, .maximum = 1 << 20});
    f("max_length", max_length, "Length of its rows.",
      {.minimum = 1, .maximum = 1 << 24, .unit = "tokens"});
  }
};

/// Adds what the tokenizer says, and where it does not fit the model.
void look_at_tokenizer(const fs::path& path, ModelFacts& facts) {
  try {
    const Tokenizer tokenizer = Tokenizer::load(path);
    facts.tokenizer_tokens = tokenizer.vocab_size();
    facts.has_chat_template = !ChatTemplates(tokenizer).empty();
    if (tokenizer.eos_id()) facts.end_of_text = tokenizer.token(*tokenizer.eos_id());
    const auto& config = facts.report.config;
    if (config && tokenizer.vocab_size() > config->vocab_size)
      facts.report.problems.push_back(
          format("the tokenizer has {} tokens, but the model's vocab_size is {}",
                 tokenizer.vocab_size(), config->vocab_size));
  } catch (const Error& error) {
    facts.report.problems.push_back(describe(error));
  }
}

void estimate_memory(const InfoOptions& o, ModelFacts& facts) {
  if (!facts.report.config || facts.report.parameters() == 0) return;
  const std::unique_ptr<Model> model = empty_model(*facts.report.config);
  for (const TrainingMethod& method : training_methods())
    facts.memory.push_back({method.name, training_memory(*model, method, o.rows, o.max_length)});
}

/// Where an adapter would sit, or sits.
void look_at_adapter(const AdapterSpec& spec, ModelFacts& facts) {
  if (!spec.wanted() || !facts.report.config) return;
  const std::unique_ptr<Model> model = empty_model(*facts.report.config);
  const std::unique_ptr<Adapter> adapter = spec.path.empty()
                                               ? Adapter::outline(*model, spec.options)
                                               : Adapter::outline(*model, fs::path(spec.path));
  facts.adapter_drawing = "\n" + draw(*adapter, *model);
  facts.adapter_parameters = trained_numbers(*adapter);
}

int run_info(const InfoOptions& o) {
  const fs::path path = locate_model(o.model, hub_cache_folder());
  ModelFacts facts;
  facts.path = path.string();
  facts.report = inspect_model(path);
  facts.rows = o.rows;
  facts.max_length = o.max_length;
  look_at_tokenizer(path, facts);
  estimate_memory(o, facts);
  look_at_adapter(o.adapter, facts);
  print(stdout, o.json ? to_json(facts).dump() + "\n" : to_text(facts));
  return facts.report.problems.empty() ? 0 : 1;
}

}  // namespace

Command info_command() {
  return make_command<InfoOptions>(
      {.name = "info",
       .summary = "Tell what a model is, and what is wrong with it",
       .description = "Reads headers only. The exit code is 1 if the model does not fit together.",
       .positional = {"model"},
       .examples = {{"lathe info DIR", "architecture, parameters, memory to train"},
                    {"lathe info DIR --adapter '{peft_type: IA3}'", "where an adapter would sit"},
                    {"lathe info org/name --json", "one JSON object, for programs"}}},
      run_info);
}

}  // namespace lathe
