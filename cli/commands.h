// The commands of `lathe`, one a file. cli/main.cpp has the table of those that exist.
#pragma once

#include "cli/command.h"

namespace lathe {

Command train_command();
Command tokenizer_command();
Command generate_command();
Command eval_command();
Command info_command();
Command convert_command();
Command chat_command();
Command classify_command();
Command merge_command();

/// Prints the documentation of the options of `commands`, for docs/options.md and editors.
Command options_command(std::vector<Command> commands);

}  // namespace lathe
