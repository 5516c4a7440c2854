#include "lathe/options/help.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "cli/command.h"

namespace lathe {
namespace {

/// As wide as the terminal; colour only there, and not against the user's wish (no-color.org).
HelpStyle terminal_style() {
  HelpStyle style;
  winsize window{};
  if (isatty(STDOUT_FILENO) == 0) return style;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
    style.width = window.ws_col;
  const char* refused = std::getenv("NO_COLOR");
  style.colour = refused == nullptr || *refused == '\0';
  return style;
}

std::string usage_line(const Command& command, const FieldType& type) {
  std::string line = "lathe " + command.name;
  for (const std::string& name : command.positional) {
    const FieldDoc& field = *find_field(type, name);
    const bool list = field.type.kind == FieldType::Kind::list;
    const std::string shown = argument_name(field) + (list ? " ..." : "");
    line += field.field.required ? " " + shown : " [" + shown + "]";
  }
  for (const FieldDoc& field : type.fields) {
    const auto& positional = command.positional;
    const bool place =
        std::find(positional.begin(), positional.end(), field.name) != positional.end();
    if (field.field.required && !place && command.recipe.empty())
      line += " --" + field.name + " " + placeholder(field);
  }
  return line + " [--key value ...]";
}

std::string examples_text(const std::vector<UsageExample>& examples, const HelpStyle& style) {
  if (examples.empty()) return "";
  std::string out = "\n" + emphasise("Examples:", style) + "\n";
  for (const UsageExample& example : examples)
    out += "  " + example.line + "\n" +
           (example.remark.empty() ? "" : "      " + example.remark + "\n");
  return out;
}

}  // namespace

std::string command_help(const Command& command, bool all) {
  HelpStyle style = terminal_style();
  style.all = all;
  const FieldType type = command.type();
  const auto width = static_cast<size_t>(std::clamp(style.width, 60, 100));
  std::string out = wrap(command.summary + ".", width, 0) + "\n\n";
  out += emphasise("Usage:", style) + " " + wrap(usage_line(command, type), width - 7, 9) + "\n";
  if (!command.description.empty()) out += "\n" + wrap(command.description, width, 0) + "\n";
  out += examples_text(command.examples, style);
  out += options_help(type, command.positional, style);
  out += "\n" +
         wrap(
             "--a-b and --a_b are the same; --flag sets and --no-flag clears a switch; "
             "lists are written --key a b or --key '[a, b]'.",
             width, 0) +
         "\n";
  if (!all)
    out += wrap(format("lathe {} --help-all shows every option.", command.name), width, 0) + "\n";
  return out;
}

std::string program_help(const std::vector<Command>& commands) {
  const HelpStyle style = terminal_style();
  std::string out = "Lathe trains language models.\n\n" + emphasise("Usage:", style) +
                    " lathe COMMAND [arguments]\n\n" + emphasise("Commands:", style) + "\n";
  size_t longest = 8;
  for (const Command& command : commands) longest = std::max(longest, command.name.size());
  for (const Command& command : commands) {
    if (command.hidden) continue;
    const std::string gap(longest + 2 - command.name.size(), ' ');
    out += "  " + emphasise(command.name, style) + gap + command.summary + "\n";
  }
  return out + "\nlathe COMMAND --help explains one of them; lathe --version says which this is.\n";
}

}  // namespace lathe
