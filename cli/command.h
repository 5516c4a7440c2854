// A command of `lathe`: an options struct with a fields() table, and a function that gets it
// filled.
//
//   struct GenerateOptions {
//     std::string model, prompt;
//     double temperature = 1;
//     bool json = false;
//     void fields(Fields& f) {
//       f("model", model, "Directory of the model.", {.placeholder = "DIR", .required = true});
//       f("prompt", prompt, "Text to continue.", {.required = true});
//       f.group("Sampling");
//       f("temperature", temperature, "0 takes the likeliest token.", {.minimum = 0});
//       f("json", json, "Print one JSON object.");
//     }
//   };
//   int generate(const GenerateOptions& options) { ...; return 0; }
//
//   Command generate_command() {
//     return make_command<GenerateOptions>(
//         {.name = "generate", .summary = "Continue a text", .positional = {"prompt"},
//          .examples = {{"lathe generate --model DIR \"Once\"", "a story"}}}, generate);
//   }
//
// Declare the function in cli/commands.h and put it into the table of cli/main.cpp. Results go to
// standard output, everything else to standard error; with --json, standard output gets one JSON
// object. Errors are thrown (lathe::fail), never printed: main prints them and chooses the exit
// code.
#pragma once

#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lathe/options/fields.h"

namespace lathe {

/// A line that help shows, with what it does.
struct UsageExample {
  std::string line;
  std::string remark;
};

/// What help says of a command, and how its arguments are read.
struct CommandText {
  std::string name{};
  std::string summary{};                  ///< a few words, no full stop
  std::string description{};              ///< paragraphs of --help
  std::vector<std::string> positional{};  ///< options that need no --name, in order
  /// The positional option that names a YAML file with the values of the other options. What the
  /// command line says goes before the file. Empty: options come from the command line alone.
  std::string recipe{};
  std::vector<UsageExample> examples{};
  bool hidden = false;  ///< not in `lathe --help`
};

/// A command with its options' type erased.
struct Command : CommandText {
  std::function<FieldType()> type;        ///< the table of its options
  std::function<int(const Value&)> main;  ///< reads the options and runs; returns the exit code
};

/// Makes a command of `run`, which gets the options read and returns the exit code.
template <HasFields Options>
Command make_command(CommandText text, std::function<int(const Options&)> run) {
  return {std::move(text), [] { return describe_fields<Options>(); },
          [run = std::move(run)](const Value& values) {
            Options options;
            read_options(options, values);
            return run(options);
          }};
}

/// Writes all of `text` at once; throws Error if standard output does not take it.
void print(std::FILE* stream, std::string_view text);

/// Runs `command` with the arguments after its name. Prints help if asked.
int run_command(const Command& command, const std::vector<std::string>& arguments);

/// The help of one command.
std::string command_help(const Command& command, bool all);

/// The help of the whole program.
std::string program_help(const std::vector<Command>& commands);

/// Answers `lathe ARGUMENTS`: finds the command and runs it, prints errors, and returns the exit
/// code: 0 done, 1 a clear error, 2 wrong usage, 70 a bug of ours.
int run_program(const std::vector<Command>& commands, const std::vector<std::string>& arguments);

}  // namespace lathe
