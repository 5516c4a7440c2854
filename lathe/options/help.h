// The help of a command, made from the fields() table of its options.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lathe/options/field.h"

namespace lathe {

/// How help is to look.
struct HelpStyle {
  int width = 80;       ///< columns, held between 60 and 100
  bool colour = false;  ///< ANSI escapes for headings and names
  bool all = false;     ///< advanced and nested options too
};

/// `text` in lines of at most `width` columns, each after the first behind `indent` spaces. Breaks
/// only at spaces; line breaks of `text` stay.
std::string wrap(std::string_view text, size_t width, size_t indent);

/// Columns of text on a terminal: characters, not bytes.
size_t columns(std::string_view text);

/// The options by group, aligned and wrapped: name, value, what it does, default, choices.
std::string options_help(const FieldType& type, const std::vector<std::string>& positional,
                         const HelpStyle& style);

/// What help calls the value of an option: DIR, NUMBER, a|b|c.
std::string placeholder(const FieldDoc& field);

/// What a positional argument is called: its placeholder, or its name in capitals.
std::string argument_name(const FieldDoc& field);

/// The default as shown to people; empty if there is none to show.
std::string default_text(const FieldDoc& field);

/// A heading or name of help in colour.
std::string emphasise(std::string_view text, const HelpStyle& style);

}  // namespace lathe
