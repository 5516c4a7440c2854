#include "cli/command.h"

#include <algorithm>
#include <cstdio>
#include <new>
#include <string_view>

#include "lathe/options/command_line.h"
#include "lathe/options/help.h"

namespace lathe {
namespace {

/// The options a command line asks for: its recipe, if it has one, then what it says itself.
Value gather(const Command& command, const FieldType& type, const ParsedArguments& parsed) {
  const auto given = [&](const std::string& name) {
    return std::find_if(parsed.settings.begin(), parsed.settings.end(),
                        [&](const Setting& setting) { return setting.key == name; });
  };
  for (const std::string& name : command.positional)
    if (find_field(type, name)->field.required && given(name) == parsed.settings.end())
      throw UsageError(format(
          "lathe {0}: {1} is missing: {2} It goes before the options: an option "
          "that is a list takes all words after it",
          command.name, argument_name(*find_field(type, name)), find_field(type, name)->doc));
  Value values = Value::map();
  values.place = {std::make_shared<const std::string>("lathe " + command.name), 0};
  if (const auto recipe = given(command.recipe); recipe != parsed.settings.end())
    values = load_yaml(recipe->words.at(0));
  if (!values.is_map() && !values.is_null()) fail_at(values, "", "expected a map of options");
  for (const Setting& setting : parsed.settings) apply_setting(values, type, setting);
  return values;
}

int answer(const std::vector<Command>& commands, const std::vector<std::string>& arguments) {
  const std::string word = arguments.empty() ? "--help" : arguments[0];
  const bool about = word == "help" && arguments.size() > 1;
  if (word == "--help" || word == "-h" || (word == "help" && !about)) {
    print(stdout, program_help(commands));
    return arguments.empty() ? 2 : 0;
  }
  if (word == "--version") return print(stdout, "lathe " LATHE_VERSION "\n"), 0;
  const std::string& name = about ? arguments[1] : word;
  std::vector<std::string> names;
  for (const Command& command : commands) {
    if (command.name == name && about) return run_command(command, {"--help"});
    if (command.name == name) return run_command(command, {arguments.begin() + 1, arguments.end()});
    if (!command.hidden) names.push_back(command.name);
  }
  const std::string near = nearest(name, names);
  throw UsageError(
      format("{}: no such command; {}", name,
             near.empty() ? "`lathe --help` lists them" : "did you mean " + near + "?"));
}

}  // namespace

void print(std::FILE* stream, std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stream) != text.size() || std::fflush(stream) != 0)
    if (stream == stdout) fail("writing to standard output: it was closed or is full");
}

int run_command(const Command& command, const std::vector<std::string>& arguments) {
  const FieldType type = command.type();
  const ParsedArguments parsed = parse_arguments(arguments, type, command.positional);
  if (parsed.help) {
    print(stdout, command_help(command, parsed.help_all));
    return 0;
  }
  return command.main(gather(command, type, parsed));
}

int run_program(const std::vector<Command>& commands, const std::vector<std::string>& arguments) {
  const auto report = [](std::string_view message) {
    print(stderr, format("error: {}\n", message));
  };
  try {
    return answer(commands, arguments);
  } catch (const UsageError& error) {
    report(describe(error));
    return 2;
  } catch (const Error& error) {
    report(describe(error));
    return 1;
  } catch (const std::bad_alloc&) {
    report("out of memory");
    return 1;
  } catch (const std::exception& error) {
    const std::string message = describe(error);
    // How libtorch says that memory ran out.
    const bool memory = message.find("can't allocate memory") != std::string::npos;
    report(memory ? "out of memory: " + message
                  : message + "\nThis is a bug in Lathe, not in what you did. Please report it.");
    return memory ? 1 : 70;
  }
}

}  // namespace lathe
