// Arguments of a command, matched with the fields() table of its options.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lathe/options/field.h"
#include "lathe/options/value.h"

namespace lathe {

/// One option given on the command line.
struct Setting {
  std::string typed;  ///< as written, without its value: --lr, RECIPE
  std::string key;    ///< the option's path: learning_rate, model.hidden_size, adapters.0.r
  std::vector<std::string> words;  ///< more than one for a list
};

/// What a command line says.
struct ParsedArguments {
  std::vector<Setting> settings;
  bool help = false;      ///< --help or -h
  bool help_all = false;  ///< --help-all: the advanced options too
};

/// Matches arguments with the options of `type`:
///   --key value, --key=value, hyphen = underscore; --flag and --no-flag for true or false;
///   nested keys with dots; a list takes all words up to the next option (one, if Field::one_word),
///   or a repeated option;
///   words without an option are the options named in `positional`, in order, a list all that are
///   left; `--` ends the options.
/// Throws UsageError that names what is unknown, with the nearest option.
ParsedArguments parse_arguments(const std::vector<std::string>& arguments, const FieldType& type,
                                const std::vector<std::string>& positional);

/// Puts a setting into a recipe in the place of what it says, however that was spelled.
void apply_setting(Value& recipe, const FieldType& type, const Setting& setting);

/// `apply_setting` of one option: `key` as on the command line without --, `text` its value.
void set_from_command_line(Value& recipe, const FieldType& type, std::string_view key,
                           std::string_view text);

}  // namespace lathe
