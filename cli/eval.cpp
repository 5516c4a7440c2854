// lathe eval: how well a model predicts a text.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/cloze_report.h"
#include "cli/commands.h"
#include "cli/eval_data.h"
#include "cli/open_model.h"
#include "cli/token_table.h"

namespace lathe {
namespace {

struct EvalOptions {
  OpenModelOptions model;
  std::vector<DataSource> data;
  std::vector<std::string> cloze;
  std::optional<std::string> text;
  bool json = false, tokens = false;
  int64_t max_length = 0, batch_size = 8;
  std::string cache_dir;

  void fields(Fields& f) {
    f("data", data, "Files, folders and globs to predict.", {.placeholder = "PATH"});
    f("text", text, "A text to predict, instead of data.");
    f("cloze", cloze, "Files with questions instead of data: rows of prompt, choices and answer.",
      {.placeholder = "FILE"});
    f("tokens", tokens,
      "For each position of the text: the five likeliest tokens, the true one and its loss.");
    f("json", json, "Print one JSON object.");
    f("max_length", max_length, "Longest context; 0: the model's, at most 2048.",
      {.minimum = 0, .unit = "tokens"});
    f("batch_size", batch_size, "Rows at once.", {.minimum = 1, .maximum = 65536});
    f("cache_dir", cache_dir, "Folder that keeps the data as tokens.", {.placeholder = "DIR"});
    model.fields(f);
  }
  void check() const {
    require(text.has_value() + !data.empty() + !cloze.empty() == 1,
            "expected one of --data, --text and --cloze");
    require(!tokens || text, "--tokens shows one text: give it with --text");
  }
};

DataOptions data_options(const EvalOptions& o, int64_t length) {
  DataOptions data;
  data.valid_data = o.data;
  data.max_length = length;
  data.per_device_eval_batch_size = o.batch_size;
  data.cache_dir = o.cache_dir.empty() ? default_cache_folder().string() : o.cache_dir;
  return data;
}

int run(const EvalOptions& o) {
  const auto [tokenizer, model] = open_model(o.model);
  int64_t length = std::min<int64_t>(model->config().max_position_embeddings, 2048);
  if (o.max_length > 0) length = o.max_length;
  if (model->is_classifier()) {
    require(!o.data.empty(), "{} classifies texts: give --data with labels, or `lathe classify`",
            o.model.model);
    print(stdout, classifier_report(*model, tokenizer, data_options(o, length), o.json));
    return 0;
  }
  if (!o.cloze.empty()) {
    print(stdout, cloze_report(*model, tokenizer, o.cloze, o.json));
    return 0;
  }
  std::vector<TokenLoss> table;
  Evaluation e;
  if (o.text) {
    table = token_losses(*model, tokenizer, *o.text, length);
    e = summary(table, *o.text);
  } else {
    e = evaluate_data(*model, tokenizer, data_options(o, length));
  }
  if (o.json) {
    nlohmann::json out = {{"loss", e.loss}, {"perplexity", e.perplexity()}, {"tokens", e.tokens}};
    if (e.bits_per_byte()) out["bits_per_byte"] = *e.bits_per_byte();
    if (o.tokens) out["positions"] = to_json(table);
    print(stdout, out.dump() + "\n");
  } else {
    print(stdout, (o.tokens ? to_text(table) + "\n" : "") + describe(e));
  }
  return 0;
}

}  // namespace

Command eval_command() {
  return make_command<EvalOptions>(
      {.name = "eval",
       .summary = "Measure how well a model predicts or labels texts",
       .positional = {"data"},
       .examples = {{"lathe eval --model DIR valid.txt", "loss, perplexity, bits per byte"},
                    {"lathe eval --model CLASSIFIER test.jsonl", "accuracy, confusion matrix"},
                    {"lathe eval --model DIR --text \"I like ice cream\" --tokens",
                     "what the model expected at each position"}}},
      run);
}

}  // namespace lathe
