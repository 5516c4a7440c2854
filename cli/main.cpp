#include "cli/commands.h"

int main(int count, char** words) {
  using namespace lathe;
  std::vector<Command> commands = {train_command(), tokenizer_command(), generate_command(),
                                   eval_command(),  info_command(),      convert_command(),
                                   chat_command(),  classify_command(),  merge_command()};
  commands.push_back(options_command(commands));
  return run_program(commands, {words + (count > 0 ? 1 : 0), words + count});
}
