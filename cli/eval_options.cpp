#include "cli/eval_options.h"

namespace lathe {

void EvalOptions::fields(Fields& f) {
  f("data", data, "Files, folders and globs to predict.", {.placeholder = "PATH"});
  f("text", text, "A text to predict, instead of data.");
  f("cloze", cloze, "Files with questions instead of data: rows of prompt, choices and answer.",
    {.placeholder = "FILE"});
  f("answers", answers.files,
    "Files with rows as for instruction tuning: how many the model answers exactly, greedily.",
    {.placeholder = "FILE"});
  f("max_new_tokens", answers.max_new_tokens, "Longest answer.", {.minimum = 1, .unit = "tokens"});
  f("tokens", tokens,
    "For each position of the text: the five likeliest tokens, the true one and its loss.");
  f("json", json, "Print one JSON object.");
  f("max_length", max_length, "Longest context; 0: the model's, at most 2048.",
    {.minimum = 0, .unit = "tokens"});
  f("batch_size", batch_size, "Rows at once.", {.minimum = 1, .maximum = 65536});
  f("cache_dir", cache_dir, "Folder that keeps the data as tokens.", {.placeholder = "DIR"});
  model.fields(f);
}

void EvalOptions::check() const {
  require(text.has_value() + !data.empty() + !cloze.empty() + !answers.files.empty() == 1,
          "expected one of --data, --text, --cloze and --answers");
  require(!tokens || text, "--tokens shows one text: give it with --text");
}

DataOptions EvalOptions::data_options(int64_t length) const {
  DataOptions options;
  options.valid_data = data;
  options.max_length = length;
  options.per_device_eval_batch_size = batch_size;
  options.cache_dir = cache_dir.empty() ? default_cache_folder().string() : cache_dir;
  return options;
}

AnswerOptions EvalOptions::answer_options() const {
  AnswerOptions options = answers;
  options.batch_size = batch_size;
  options.json = json;
  return options;
}

}  // namespace lathe
