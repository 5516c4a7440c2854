// What is known of an option besides its value: the material of errors, help, documentation and
// the JSON schema.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lathe/options/value.h"

namespace lathe {

/// The extras of one option, written with designated initialisers:
/// `Field{.above = 0, .aliases = {"lr"}}`. Bounds and choices of a list hold for its elements.
struct Field {
  std::optional<double> minimum{};     ///< smallest value allowed
  std::optional<double> above{};       ///< the value must be larger than this
  std::optional<double> maximum{};     ///< largest value allowed
  std::optional<double> below{};       ///< the value must be smaller than this
  bool allow_not_finite = false;       ///< a number may be .inf or .nan
  std::vector<std::string> choices{};  ///< of a text: the only values allowed
  std::vector<std::string> aliases{};  ///< other spellings of the name
  std::string unit{};                  ///< such as "tokens", "seconds"
  std::string placeholder{};           ///< what help calls the value: DIR, FILE, N
  std::string group{};                 ///< heading in the help; by default that of Fields::group
  char separator = 0;                  ///< on the command line, splits a word into list elements
  bool one_word = false;               ///< of a list: the option is repeated for each element
  bool required = false;               ///< must be given
  bool advanced = false;               ///< left out of the short help
  bool command_line = false;           ///< no part of a recipe: `--overwrite`
};

struct FieldDoc;

/// A name that other programs have and this struct has not, with advice.
struct Unsupported {
  std::string name;
  std::string hint;
};

/// The type of an option; of a struct with a fields() table, kind `map`.
struct FieldType {
  enum class Kind { boolean, integer, number, text, list, map, any };
  Kind kind = Kind::any;
  bool optional = false;                   ///< null means unset
  std::vector<FieldType> element{};        ///< of list: one entry
  std::vector<FieldDoc> fields;            ///< of map
  std::vector<Unsupported> unsupported{};  ///< of map
  std::string scalar_field{};              ///< of map: what a bare scalar stands for; or empty

  static FieldType of(Kind kind);
  /// What the elements of a list are, or of a list of lists; itself for anything else.
  const FieldType& innermost() const {
    return kind == Kind::list ? element.front().innermost() : *this;
  }
};

/// One option of a fields() table.
struct FieldDoc {
  std::string name;
  std::string doc;
  Field field;
  FieldType type;
  Value default_value;
};

inline FieldType FieldType::of(Kind kind) {
  FieldType type;
  type.kind = kind;
  return type;
}

/// A short name of the type: "integer", "list of text", "text or map".
std::string type_name(const FieldType& type);

/// What a scalar must be, for messages: "an integer >= 1", "one of cosine, linear".
std::string expectation(FieldType::Kind kind, const Field& field);

/// The bounds of a number: ">= 1", "from 0 to 1"; empty if there are none.
std::string bounds_text(const Field& field);

/// The field that `word` names (name or alias; hyphen = underscore); null if there is none.
const FieldDoc* find_field(const FieldType& type, std::string_view word);

/// What to say after "no such option" about a word that names no field of `type`: the nearest name,
/// where it belongs, or what to use instead; empty if nothing is known. `prefix` comes before the
/// names of options ("--" on the command line).
std::string field_hint(const FieldType& type, std::string_view word, std::string_view prefix = "");

}  // namespace lathe
