#include "lathe/options/help.h"

#include <algorithm>
#include <cctype>

#include "lathe/base/format.h"

namespace lathe {
namespace {

using Kind = FieldType::Kind;

constexpr size_t name_column = 30;

/// One line of the table: an option with its full name.
struct Row {
  std::string name;
  const FieldDoc* field;
};

void collect_rows(const FieldType& type, const std::string& path, bool all,
                  std::vector<Row>& rows) {
  for (const FieldDoc& field : type.fields) {
    if (field.field.advanced && !all) continue;
    rows.push_back({path + field.name, &field});
    const FieldType& inner = field.type.innermost();
    if (all && inner.kind == Kind::map)
      collect_rows(inner, path + field.name + (field.type.kind == Kind::list ? ".N." : "."), all,
                   rows);
  }
}

std::string shown_default(const Value& value) {
  std::string text = to_json(value);
  const bool bare = value.is_scalar() && text.size() >= 2 && text.front() == '"';
  return bare ? text.substr(1, text.size() - 2) : text;
}

std::string join_keys(const FieldType& map) {
  std::string keys;
  for (const FieldDoc& field : map.fields) keys += (keys.empty() ? "" : ", ") + field.name;
  return keys;
}

/// The remarks behind the documentation: (required), (default 0.9; from 0 to 1; also --p).
std::string remarks(const FieldDoc& doc) {
  std::vector<std::string> parts;
  const Field& field = doc.field;
  const std::string text = default_text(doc);
  const std::string unit = field.unit.empty() ? "" : " " + field.unit;
  if (field.required) parts.emplace_back("required");
  if (!text.empty()) parts.push_back("default " + text + unit);
  if (text.empty() && !unit.empty()) parts.push_back("in" + unit);
  if (const std::string bounds = bounds_text(field); !bounds.empty()) parts.push_back(bounds);
  if (!field.aliases.empty())
    parts.push_back(format("also --{}", fmt::join(field.aliases, ", --")));
  return parts.empty() ? "" : format(" ({})", fmt::join(parts, "; "));
}

/// The option as one types it: --seed, --[no-]echo, [--prompt] where the name may be left out.
std::string option_name(const Row& row, const std::vector<std::string>& positional) {
  const bool place = std::find(positional.begin(), positional.end(), row.name) != positional.end();
  if (place) return "[--" + row.name + "]";
  const bool on = row.field->type.kind == Kind::boolean && !row.field->type.optional &&
                  row.field->default_value.scalar == "true";
  return (on ? "--[no-]" : "--") + row.name;
}

std::string description(const FieldDoc& doc, const HelpStyle& style) {
  std::string text = doc.doc;
  const FieldType& inner = doc.type.innermost();
  if (inner.kind == Kind::text && placeholder(doc).find('|') == std::string::npos &&
      doc.field.choices.size() > 1)
    text += format(" One of {}.", fmt::join(doc.field.choices, ", "));
  if (inner.kind == Kind::map && !style.all && !inner.fields.empty())
    text += format(" Keys: {}.", join_keys(inner));
  return text + remarks(doc);
}

}  // namespace

size_t columns(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string wrap(std::string_view text, size_t width, size_t indent) {
  std::string out, line;
  const auto end_line = [&] {
    out += line + "\n" + std::string(indent, ' ');
    line.clear();
  };
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '\n') {
      end_line();
      ++at;
      continue;
    }
    const size_t end = std::min(text.find_first_of(" \n", at), text.size());
    const std::string_view word = text.substr(at, end - at);
    const bool room = indent + columns(line) + 1 + columns(word) <= width;
    if (!line.empty() && !room) end_line();
    if (!word.empty()) line += (line.empty() ? "" : " ") + std::string(word);
    at = end + (end < text.size() && text[end] == ' ' ? 1 : 0);
  }
  return out + line;
}

std::string emphasise(std::string_view text, const HelpStyle& style) {
  return style.colour ? format("\033[1m{}\033[0m", text) : std::string(text);
}

std::string placeholder(const FieldDoc& field) {
  const FieldType& inner = field.type.innermost();
  const std::string more = field.type.kind == Kind::list ? " ..." : "";
  if (!field.field.placeholder.empty()) return field.field.placeholder + more;
  const std::string choices = format("{}", fmt::join(field.field.choices, "|"));
  switch (inner.kind) {
    case Kind::boolean:
      return "";
    case Kind::integer:
      return "INTEGER" + more;
    case Kind::number:
      return "NUMBER" + more;
    case Kind::map:
      return (inner.scalar_field.empty() ? "{...}" : "TEXT") + more;
    case Kind::text:
      return (choices.empty() || choices.size() > 24 ? "TEXT" : choices) + more;
    default:
      return "YAML" + more;
  }
}

std::string argument_name(const FieldDoc& field) {
  if (!field.field.placeholder.empty()) return field.field.placeholder;
  std::string name = field.name;
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::string default_text(const FieldDoc& field) {
  const Value& value = field.default_value;
  const bool hollow = value.is_null() || (value.is_scalar() && value.scalar.empty()) ||
                      (value.is_list() && value.items.empty()) || value.is_map();
  if (hollow || field.field.required) return "";
  if (field.type.kind == Kind::boolean) return value.scalar == "true" ? "on" : "";
  return shown_default(value);
}

std::string options_help(const FieldType& type, const std::vector<std::string>& positional,
                         const HelpStyle& style) {
  const auto width = static_cast<size_t>(std::clamp(style.width, 60, 100));
  std::vector<Row> rows;
  collect_rows(type, "", style.all, rows);
  std::vector<std::string> groups;
  std::string group;
  std::vector<std::string> row_groups;
  for (const Row& row : rows) {
    // Nested options stay with the option that holds them.
    if (row.name == row.field->name) group = row.field->field.group;
    row_groups.push_back(group);
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  }
  std::string out;
  for (const std::string& heading : groups) {
    out += "\n" + emphasise(heading.empty() ? "Options:" : heading + ":", style) + "\n";
    for (size_t i = 0; i < rows.size(); ++i) {
      if (row_groups[i] != heading) continue;
      const std::string value = placeholder(*rows[i].field);
      const std::string name = option_name(rows[i], positional);
      out += "  " + emphasise(name, style) + (value.empty() ? "" : " " + value);
      const size_t used = 2 + columns(name) + (value.empty() ? 0 : 1 + columns(value));
      out += used + 2 > name_column ? "\n" + std::string(name_column, ' ')
                                    : std::string(name_column - used, ' ');
      out += wrap(description(*rows[i].field, style), width, name_column) + "\n";
    }
  }
  return out;
}

}  // namespace lathe
