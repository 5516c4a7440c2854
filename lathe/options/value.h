// A recipe as it was written: a tree of scalars, lists and maps, each of which knows its line.
// Scalars keep their spelling; what type one has is decided by the option that reads it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lathe/base/file.h"

namespace lathe {

/// Where a value was written, for error messages.
struct Place {
  /// The file, or the option as typed on the command line; null for values made by a program.
  std::shared_ptr<const std::string> origin;
  int line = 0;  ///< from 1; 0 on the command line
};

struct ValueEntry;

/// One node of the tree.
struct Value {
  enum class Kind {
    null,
    plain,     ///< a scalar without quotes: true, 1e-3, some words
    text,      ///< a scalar in quotes: text, whatever it looks like
    argument,  ///< a word of the command line: text as it stands, YAML where no text is wanted
    list,
    map,
  };

  Kind kind = Kind::null;
  std::string scalar;               ///< of plain, text and argument
  std::vector<Value> items;         ///< of list
  std::vector<ValueEntry> entries;  ///< of map, in the order written
  Place place;

  static Value of(bool value);
  static Value of(int value);
  static Value of(int64_t value);
  static Value of(double value);
  static Value of(std::string text);
  static Value of(const char* text);
  static Value list();
  static Value list(std::vector<Value> items);
  static Value map();

  bool is_null() const { return kind == Kind::null; }
  bool is_list() const { return kind == Kind::list; }
  bool is_map() const { return kind == Kind::map; }
  bool is_scalar() const { return !is_null() && !is_list() && !is_map(); }

  /// The value of `key` in a map; null if the key is missing or this is no map.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  /// Sets `key` in a map, in its old position if it was there; makes a null value a map.
  Value& set(std::string_view key, Value value);
  /// Removes `key` from a map if it is there.
  void erase(std::string_view key);
};

/// A key of a map with its value.
struct ValueEntry {
  std::string key;
  Value value;
  int line = 0;  ///< of the key; 0 on the command line
};

inline Value Value::of(int value) {
  return of(int64_t{value});
}
inline Value Value::of(const char* text) {
  return of(std::string(text));
}

/// Whether both say the same: numbers by value, maps in any order, an unset key like a null one.
bool same_value(const Value& a, const Value& b);

/// The keys whose values differ, as paths such as `model.hidden_size` and `train_data[1].weight`;
/// a list that changed its length is one key. For two resolved recipes (`to_value`).
std::vector<std::string> changed_keys(const Value& a, const Value& b);

/// Reads one YAML document (UTF-8). Throws Error naming `origin` and the line for bad syntax, bad
/// UTF-8, duplicate keys, more than 100,000 nodes (aliases expanded), 64 levels or 1 MB.
Value parse_yaml(std::string_view text, std::string_view origin);

/// What an argument of the command line says as YAML: `[a, {path: b}]`. Throws UsageError.
Value parse_argument(const Value& argument);

/// `parse_yaml` of the file at `path`.
Value load_yaml(const fs::path& path);

/// The YAML of a value, which `parse_yaml` reads back to the same value. Ends with a newline.
std::string to_yaml(const Value& value);

/// The JSON of a value in one line: unquoted scalars become null, booleans and numbers by YAML's
/// core schema, the others text. `indent` spaces a level, or one line if negative.
std::string to_json(const Value& value, int indent = -1);

}  // namespace lathe
