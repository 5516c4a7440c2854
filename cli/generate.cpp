// lathe generate: continue prompts.
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/prompts.h"

namespace lathe {
namespace {

struct GenerateOptions {
  OpenModelOptions model;
  std::optional<std::string> prompt;
  std::string prompts, use;
  int64_t num_return_sequences = 1;
  bool echo = true, json = false;
  SamplingOptions sampling;

  void fields(Fields& f) {
    f("prompt", prompt, "Text to continue; without it each line of standard input is one.");
    f("prompts", prompts,
      "File with prompts, all continued in one batch: JSON lines with \"prompt\" and, where "
      "several "
      "adapters have names, \"adapter\".",
      {.placeholder = "FILE"});
    f("use", use, "Name of the adapter for prompts that name none; without it they get none.");
    f("num_return_sequences", num_return_sequences, "Continuations of each prompt, in one batch.",
      {.minimum = 1, .maximum = 65536});
    f("echo", echo, "Print the prompt before its continuation.");
    f("json", json, "Print one JSON object with all continuations.");
    sampling.fields(f);
    model.fields(f);
  }
  void check() const { require(!prompt || prompts.empty(), "expected either prompt or --prompts"); }
};

int run_generate(const GenerateOptions& o) {
  OpenModel opened = open_model(o.model, /*adapters_are_chosen=*/true);
  const AdapterNames names(opened, o.model.adapter);
  nlohmann::json all = nlohmann::json::array();
  const auto answer = [&](const std::vector<Prompt>& prompts) {
    continue_prompts(opened, names, repeated(prompts, o.num_return_sequences), o.sampling,
                     {.echo = o.echo, .json = o.json}, all);
  };
  if (o.prompt) {
    answer({{*o.prompt, o.use}});
  } else if (!o.prompts.empty()) {
    answer(read_prompts(o.prompts, o.use));
  } else {
    const bool terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
    if (terminal) fmt::print(stderr, "Type a text to continue; an empty line ends.\n");
    std::string line;
    while ((!terminal || (fmt::print(stderr, "> "), true)) && std::getline(std::cin, line)) {
      if (terminal && line.empty()) break;
      answer({{line, o.use}});
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
      run_generate);
}

}  // namespace lathe
