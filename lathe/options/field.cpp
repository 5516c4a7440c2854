#include "lathe/options/field.h"

#include <algorithm>

#include "lathe/base/error.h"
#include "lathe/options/scalar.h"

namespace lathe {
namespace {

using Kind = FieldType::Kind;

std::string underscored(std::string_view word) {
  std::string name(word);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

/// The struct within optionals and lists; null if there is none.
const FieldType* inner_map(const FieldType& type) {
  if (type.kind == Kind::list) return inner_map(type.element.front());
  return type.kind == Kind::map ? &type : nullptr;
}

}  // namespace

std::string type_name(const FieldType& type) {
  switch (type.kind) {
    case Kind::boolean:
      return "true or false";
    case Kind::integer:
      return "integer";
    case Kind::number:
      return "number";
    case Kind::text:
      return "text";
    case Kind::list: {
      const std::string element = type_name(type.element.front());
      const bool choice = element.find(" or ") != std::string::npos;
      return choice ? "list of (" + element + ")" : "list of " + element;
    }
    case Kind::map:
      return type.scalar_field.empty() ? "map" : "text or map";
    case Kind::any:
      return "anything";
  }
  return "anything";
}

std::string expectation(FieldType::Kind kind, const Field& field) {
  if (kind == Kind::boolean) return "true or false";
  if (kind == Kind::text && !field.choices.empty())
    return format("{}{}", field.choices.size() > 1 ? "one of " : "",
                  fmt::join(field.choices, ", "));
  if (kind == Kind::text) return "text";
  const std::string range = bounds_text(field);
  return (kind == Kind::integer ? "an integer" : "a number") + (range.empty() ? "" : " " + range);
}

std::string bounds_text(const Field& field) {
  if (field.minimum && field.maximum)
    return format("from {} to {}", number_text(*field.minimum), number_text(*field.maximum));
  std::string low, high;
  if (field.minimum) low = ">= " + number_text(*field.minimum);
  if (field.above) low = "> " + number_text(*field.above);
  if (field.maximum) high = "<= " + number_text(*field.maximum);
  if (field.below) high = "< " + number_text(*field.below);
  return low + (low.empty() || high.empty() ? "" : " and ") + high;
}

const FieldDoc* find_field(const FieldType& type, std::string_view word) {
  const std::string name = underscored(word);
  for (const FieldDoc& field : type.fields) {
    const auto& aliases = field.field.aliases;
    if (field.name == name || std::find(aliases.begin(), aliases.end(), name) != aliases.end())
      return &field;
  }
  return nullptr;
}

std::string field_hint(const FieldType& type, std::string_view word, std::string_view prefix) {
  const std::string name = underscored(word);
  const auto show = [&](const std::string& option) {
    return prefix.empty() ? quote(option) : format("{}{}", prefix, option);
  };
  for (const Unsupported& unsupported : type.unsupported)
    if (unsupported.name == name) return "; " + unsupported.hint;

  std::vector<std::string> candidates;
  for (const FieldDoc& field : type.fields) {
    candidates.push_back(field.name);
    candidates.insert(candidates.end(), field.field.aliases.begin(), field.field.aliases.end());
    const FieldType* inner = inner_map(field.type);
    if (inner != nullptr && find_field(*inner, name) != nullptr)
      return format("; it belongs under {}", show(field.name));
  }
  const FieldDoc* near = find_field(type, nearest(name, candidates));
  return near == nullptr ? "" : format("; did you mean {}?", show(near->name));
}

}  // namespace lathe
