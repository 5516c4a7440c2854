// lathe chat: talk with a model in the terminal.
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <iostream>

#include "cli/commands.h"
#include "cli/conversation.h"

namespace lathe {
namespace {

struct ChatOptions {
  OpenModelOptions model;
  std::string system;
  SamplingOptions sampling;

  ChatOptions() { sampling.max_new_tokens = 1024; }
  void fields(Fields& f) {
    f("system", system, "What the model is told before the conversation.");
    sampling.fields(f);
    model.fields(f);
  }
};

std::atomic<bool> interrupted = false;

int run_chat(const ChatOptions& o) {
  Conversation conversation(open_model(o.model), o.system, o.model.model);
  const bool terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
  if (terminal) {
    std::signal(SIGINT, [](int) { interrupted = true; });
    print(stderr, "Ctrl-C ends an answer, /reset the conversation, /exit or Ctrl-D the program.\n");
  }
  std::string line;
  while (true) {
    if (terminal) print(stderr, "> ");
    if (!std::getline(std::cin, line) || line == "/exit") return 0;
    if (line == "/reset") {
      conversation.forget();
    } else if (!line.empty()) {
      interrupted = false;
      try {
        conversation.say(line, o.sampling, interrupted);
      } catch (const Error& error) {
        if (!terminal) throw;
        print(stderr, format("error: {}\n", error.what()));
      }
    }
  }
}

}  // namespace

Command chat_command() {
  return make_command<ChatOptions>(
      {.name = "chat",
       .summary = "Talk with a model",
       .description = "Each line is something said to the model, in the form of its own chat "
                      "template; its answer is printed as it comes.",
       .positional = {"model"},
       .examples = {{"lathe chat DIR", "a conversation in the terminal"},
                    {"echo Hello | lathe chat DIR --temperature 0", "one answer"}}},
      run_chat);
}

}  // namespace lathe
