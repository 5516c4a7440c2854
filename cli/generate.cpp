// lathe generate: continue prompts.
#include "lathe/generate/generate.h"

#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/open_model.h"
#include "cli/text_output.h"

namespace lathe {
namespace {

struct GenerateOptions {
  OpenModelOptions model;
  std::optional<std::string> prompt;
  int64_t num_return_sequences = 1;
  bool echo = true, json = false;
  SamplingOptions sampling;

  void fields(Fields& f) {
    f("prompt", prompt, "Text to continue; without it each line of standard input is one.");
    f("num_return_sequences", num_return_sequences, "Continuations of each prompt, in one batch.",
      {.minimum = 1, .maximum = 65536});
    f("echo", echo, "Print the prompt before its continuation.");
    f("json", json, "Print one JSON object with all continuations.");
    sampling.fields(f);
    model.fields(f);
  }
};

const char* end_name(Completion::End end) {
  return end == Completion::End::eos ? "eos" : end == Completion::End::stop ? "stop" : "length";
}

void answer(Model& model, const Tokenizer& tokenizer, const std::string& prompt,
            const GenerateOptions& o, nlohmann::json& all) {
  const std::vector<std::string> prompts(static_cast<size_t>(o.num_return_sequences), prompt);
  const bool stream = !o.json && prompts.size() == 1;
  TextOutput out;
  if (stream && o.echo) out.add(prompt);
  const auto show = [&](size_t, std::string_view text) { out.add(text); };
  const std::vector<Completion> completions =
      generate(model, tokenizer, prompts, o.sampling, stream ? OnText(show) : OnText());
  if (stream) out.end_line();
  for (const Completion& c : completions) {
    if (!stream && !o.json) {
      out.add((o.echo ? prompt : "") + c.text + "\n");
      out.end_line();
    }
    all.push_back({{"prompt", prompt},
                   {"text", c.text},
                   {"tokens", c.tokens.size()},
                   {"finish_reason", end_name(c.end)}});
  }
}

int run(const GenerateOptions& o) {
  const auto [tokenizer, model, adapter] = open_model(o.model);
  nlohmann::json all = nlohmann::json::array();
  if (o.prompt) {
    answer(*model, tokenizer, *o.prompt, o, all);
  } else {
    const bool terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
    if (terminal) fmt::print(stderr, "Type a text to continue; an empty line ends.\n");
    std::string line;
    while ((!terminal || (fmt::print(stderr, "> "), true)) && std::getline(std::cin, line)) {
      if (terminal && line.empty()) break;
      answer(*model, tokenizer, line, o, all);
    }
  }
  if (o.json) print(stdout, nlohmann::json{{"completions", all}}.dump() + "\n");
  return 0;
}

}  // namespace

Command generate_command() {
  return make_command<GenerateOptions>(
      {.name = "generate",
       .summary = "Continue a text",
       .positional = {"prompt"},
       .examples = {{"lathe generate --model DIR \"Once upon\"", "one continuation, as it comes"},
                    {"lathe generate --model DIR", "interactive"},
                    {"lathe generate --model DIR --prompt X --temperature 0", "the likeliest"}}},
      run);
}

}  // namespace lathe
