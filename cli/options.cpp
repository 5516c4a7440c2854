#include <cstdio>

#include "cli/commands.h"
#include "lathe/options/document.h"

namespace lathe {
namespace {

struct OptionsOptions {
  std::string command;
  std::string format = "markdown";

  void fields(Fields& f) {
    f("command", command, "The command whose options to print; all of them if left out.");
    f("format", format, "A page of documentation, a JSON schema for editors, or a recipe.",
      {.choices = {"markdown", "schema", "yaml"}});
  }
};

const Command& find_command(const std::vector<Command>& commands, const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : commands) {
    if (command.name == name) return command;
    names.push_back(command.name);
  }
  const std::string near = nearest(name, names);
  throw UsageError(
      format("{}: no such command{}", name, near.empty() ? "" : "; did you mean " + near + "?"));
}

std::string section(const Command& command) {
  std::string out = format("\n## lathe {}\n\n{}.\n", command.name, command.summary);
  if (!command.recipe.empty())
    out += "\nAn option is a key of the recipe, and `--option value` on the command line.\n";
  return out + options_markdown(command.type(), 3);
}

std::string page(const std::vector<Command>& commands) {
  std::string out =
      "# Options\n\nThis page is printed by `lathe options`; the source of each line is the "
      "fields() "
      "table of\nits options struct.\n";
  for (const Command& command : commands)
    if (!command.hidden) out += section(command);
  return out;
}

std::string document(const std::vector<Command>& commands, const OptionsOptions& options) {
  if (options.format == "markdown" && options.command.empty()) return page(commands);
  const Command& command =
      find_command(commands, options.command.empty() ? "train" : options.command);
  if (options.format == "markdown") return section(command);
  if (options.format == "yaml") return options_yaml(command.type());
  return options_schema(command.type(), "lathe " + command.name);
}

}  // namespace

Command options_command(std::vector<Command> commands) {
  return make_command<OptionsOptions>(
      {.name = "options",
       .summary = "Print the documentation of options",
       .positional = {"command"},
       .examples = {{"lathe options > docs/options.md", "the page of all options"},
                    {"lathe options train --format schema", "for an editor that checks recipes"}},
       .hidden = true},
      [commands = std::move(commands)](const OptionsOptions& options) {
        print(stdout, document(commands, options));
        return 0;
      });
}

}  // namespace lathe
