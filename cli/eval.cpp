// lathe eval: how well a model predicts a text.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/answer_report.h"
#include "cli/cloze_report.h"
#include "cli/commands.h"
#include "cli/eval_data.h"
#include "cli/eval_options.h"
#include "cli/token_table.h"

namespace lathe {
namespace {

int run_eval(const EvalOptions& o) {
  const auto [tokenizer, model, adapters] = open_model(o.model);
  int64_t length = std::min<int64_t>(model->config().max_position_embeddings, 2048);
  if (o.max_length > 0) length = o.max_length;
  if (model->is_classifier()) {
    require(!o.data.empty(), "{} classifies texts: give --data with labels, or `lathe classify`",
            o.model.model);
    print(stdout, classifier_report(*model, tokenizer, o.data_options(length), o.json));
    return 0;
  }
  if (!o.cloze.empty() || !o.answers.files.empty()) {
    print(stdout, o.cloze.empty() ? answer_report(*model, tokenizer, o.answer_options())
                                  : cloze_report(*model, tokenizer, o.cloze, o.json));
    return 0;
  }
  std::vector<TokenLoss> table;
  Evaluation e;
  if (o.text) {
    table = token_losses(*model, tokenizer, *o.text, length);
    e = summary(table, tokenizer, *o.text);
  } else {
    e = evaluate_data(*model, tokenizer, o.data_options(length));
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
      run_eval);
}

}  // namespace lathe
