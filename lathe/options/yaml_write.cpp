#include <nlohmann/json.hpp>

#include "lathe/base/error.h"
#include "lathe/options/scalar.h"
#include "lathe/options/value.h"

namespace lathe {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t line_width = 96;

bool means_something(const std::string& scalar) {
  return scalar_is_null(scalar) || scalar_boolean(scalar) || scalar_number(scalar) ||
         scalar_integer(scalar);
}

std::string scalar_yaml(const Value& value) {
  if (value.is_null()) return "null";
  if (value.kind == Value::Kind::plain && means_something(value.scalar))
    return value.scalar.empty() ? "null" : value.scalar;
  return needs_quotes(value.scalar) ? quote(value.scalar) : value.scalar;
}

std::string key_yaml(const std::string& key) {
  return needs_quotes(key) ? quote(key) : key;
}

/// The value within one line: [a, {path: b}].
std::string flow(const Value& value) {
  std::string out;
  if (value.is_list()) {
    for (const Value& item : value.items) out += (out.empty() ? "" : ", ") + flow(item);
    return "[" + out + "]";
  }
  if (value.is_map()) {
    for (const ValueEntry& entry : value.entries)
      out += (out.empty() ? "" : ", ") + key_yaml(entry.key) + ": " + flow(entry.value);
    return "{" + out + "}";
  }
  return scalar_yaml(value);
}

void write_block(const Value& value, size_t indent, std::string& out);

/// What comes after `key:` or `-`: on the same line where it fits, otherwise below.
void write_child(const Value& value, size_t indent, size_t column, std::string& out) {
  const std::string line = flow(value);
  const bool empty = value.items.empty() && value.entries.empty();
  if (value.is_scalar() || value.is_null() || empty || column + line.size() < line_width) {
    out += " " + line + "\n";
    return;
  }
  out += "\n";
  write_block(value, indent + 2, out);
}

void write_block(const Value& value, size_t indent, std::string& out) {
  const std::string margin(indent, ' ');
  for (const Value& item : value.items) {
    out += margin + "-";
    write_child(item, indent, indent + 2, out);
  }
  for (const ValueEntry& entry : value.entries) {
    const std::string key = margin + key_yaml(entry.key) + ":";
    out += key;
    write_child(entry.value, indent, key.size() + 1, out);
  }
}

Json json_of(const Value& value) {
  if (value.is_null()) return nullptr;
  if (value.is_list()) {
    Json list = Json::array();
    for (const Value& item : value.items) list.push_back(json_of(item));
    return list;
  }
  if (value.is_map()) {
    Json map = Json::object();
    for (const ValueEntry& entry : value.entries) map[entry.key] = json_of(entry.value);
    return map;
  }
  if (value.kind == Value::Kind::text) return value.scalar;
  if (scalar_is_null(value.scalar)) return nullptr;
  // Unlike an option that wants true or false, core schema takes yes and no for text.
  const auto boolean = scalar_boolean(value.scalar);
  if (boolean && std::tolower(value.scalar[0]) == (*boolean ? 't' : 'f')) return *boolean;
  const bool exponent = value.scalar.find_first_of(".eE") != std::string::npos;
  const auto integer = scalar_integer(value.scalar);
  if (integer && (!exponent || value.scalar.starts_with("0x"))) return *integer;
  if (const auto number = scalar_number(value.scalar)) return *number;
  return value.scalar;
}

}  // namespace

std::string to_yaml(const Value& value) {
  if (!value.is_list() && !value.is_map()) return scalar_yaml(value) + "\n";
  if (value.items.empty() && value.entries.empty()) return flow(value) + "\n";
  std::string out;
  write_block(value, 0, out);
  return out;
}

std::string to_json(const Value& value, int indent) {
  return json_of(value).dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace lathe
