#include "lathe/options/document.h"

#include <algorithm>

#include "lathe/base/format.h"
#include "lathe/options/help.h"

namespace lathe {
namespace {

using Kind = FieldType::Kind;

/// Text for a cell of a table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string code(std::string_view text) {
  return format("`{}`", text);
}

std::string default_cell(const FieldDoc& field) {
  if (field.field.required) return "required";
  if (field.field.command_line && default_text(field).empty()) return "";
  if (field.default_value.is_null()) return "unset";
  if (field.type.kind == Kind::map) return "";
  std::string text = to_yaml(field.default_value);
  while (text.ends_with('\n')) text.pop_back();
  return code(text);
}

/// What a value may be, beyond its type.
std::string limits(const FieldDoc& doc) {
  const Field& field = doc.field;
  std::string out;
  if (!field.choices.empty()) {
    std::vector<std::string> choices;
    for (const std::string& choice : field.choices) choices.push_back(code(choice));
    out += format(" One of {}.", fmt::join(choices, ", "));
  } else if (field.minimum || field.above || field.maximum || field.below) {
    std::string range = expectation(doc.type.innermost().kind, field);
    range[0] = 'A';
    out += format(" {}.", range);
  }
  if (!field.unit.empty()) out += format(" In {}.", field.unit);
  if (!field.aliases.empty()) {
    std::vector<std::string> aliases;
    for (const std::string& alias : field.aliases) aliases.push_back(code(alias));
    out += format(" Also {}.", fmt::join(aliases, ", "));
  }
  if (field.command_line) out += " On the command line only.";
  return out;
}

std::string row(const FieldDoc& field) {
  return format("| {} | {} | {} | {} |\n", code(field.name), cell(type_name(field.type)),
                cell(default_cell(field)), cell(field.doc + limits(field)));
}

constexpr const char* table_head = "| option | type | default | |\n|---|---|---|---|\n";

void write_tables(const FieldType& type, const std::string& path, int level, std::string& out) {
  std::vector<std::string> groups;
  for (const FieldDoc& field : type.fields)
    if (std::find(groups.begin(), groups.end(), field.field.group) == groups.end())
      groups.push_back(field.field.group);
  const std::string heading(static_cast<size_t>(level), '#');
  for (const std::string& group : groups) {
    if (!group.empty()) out += format("\n{} {}\n", heading, group);
    out += std::string("\n") + table_head;
    for (const FieldDoc& field : type.fields)
      if (field.field.group == group) out += row(field);
  }
  for (const FieldDoc& field : type.fields) {
    const FieldType& inner = field.type.innermost();
    if (inner.kind != Kind::map || inner.fields.empty()) continue;
    const std::string name = path + field.name + (field.type.kind == Kind::list ? "[]" : "");
    out += format("\n{} {}\n", heading, code(name));
    if (!inner.scalar_field.empty())
      out += format("\nA text in the place of the map is its {}.\n", code(inner.scalar_field));
    write_tables(inner, name + ".", level + 1, out);
  }
}

std::string comment(std::string_view text) {
  std::string out = "# ";
  for (const char c : wrap(text, 98, 0)) {
    out += c;
    if (c == '\n') out += "# ";
  }
  return out + "\n";
}

}  // namespace

std::string options_markdown(const FieldType& type, int level) {
  std::string out;
  write_tables(type, "", level, out);
  return out;
}

std::string options_yaml(const FieldType& type) {
  std::string out, group;
  for (const FieldDoc& field : type.fields) {
    if (field.field.command_line) continue;
    if (field.field.group != group) out += format("\n# {}\n", field.field.group);
    group = field.field.group;
    out += "\n" + comment(field.doc);
    Value line = Value::map();
    line.set(field.name, field.default_value);
    if (field.field.required || field.default_value.is_null())
      out += format("# {}: {}{}\n", field.name, type_name(field.type),
                    field.field.required ? ", required" : "");
    else
      out += to_yaml(line);
  }
  return out;
}

}  // namespace lathe
