#include "lathe/options/command_line.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include "lathe/base/error.h"
#include "lathe/options/scalar.h"

namespace lathe {
namespace {

using Kind = FieldType::Kind;
using Words = std::vector<std::string>;

bool is_option(std::string_view word) {
  return word.size() > 2 && word.starts_with("--");
}

/// A list written as in YAML, which takes the place of what was given before.
bool is_whole_list(const Words& words) {
  return words.size() == 1 && words[0].starts_with('[') && words[0].ends_with(']');
}

Words split(std::string_view path) {
  Words parts;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('.', begin), path.size());
    parts.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::optional<size_t> list_index(std::string_view part) {
  size_t index = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
  if (error != std::errc() || end != part.data() + part.size()) return std::nullopt;
  return index;
}

/// An option as found in the table.
struct Target {
  std::string key;  // with the options' own names
  const FieldType* type = nullptr;
  std::string unknown{};  // what to say if there is none
  bool one_word = false;  // of a list
};

Target resolve(const FieldType& type, std::string_view word) {
  Target target{"", &type};
  for (const std::string& part : split(word)) {
    const std::string path = target.key.empty() ? "" : target.key + ".";
    if (target.type->kind == Kind::list && list_index(part)) {
      target = {path + part, &target.type->element.front()};
      continue;
    }
    const FieldDoc* field = find_field(*target.type, part);
    if (field == nullptr) {
      target.unknown = field_hint(*target.type, part, "--" + path);
      target.type = nullptr;
      return target;
    }
    target = {path + field->name, &field->type, {}, field->field.one_word};
  }
  return target;
}

class Parser {
 public:
  Parser(const Words& arguments, const FieldType& type, const Words& positional)
      : arguments_(arguments), type_(type), positional_(positional) {}

  ParsedArguments parse() {
    bool options = true;
    while (next_ < arguments_.size()) {
      const std::string& word = arguments_[next_++];
      if (options && word == "--") {
        options = false;
      } else if (options && (word == "-h" || word == "--help")) {
        parsed_.help = true;
      } else if (options && (word == "--help-all" || word == "--help_all")) {
        parsed_.help = parsed_.help_all = true;
      } else if (options && is_option(word)) {
        option(word);
      } else {
        if (options && word.size() > 1 && word[0] == '-' && !scalar_number(word))
          throw UsageError(format("{}: no such option; options begin with --", word));
        place(word);
      }
    }
    return std::move(parsed_);
  }

 private:
  void option(const std::string& word) {
    const size_t equals = word.find('=');
    const std::string typed = word.substr(0, equals);
    const std::string name = typed.substr(2);
    const Target target = resolve(type_, name);
    if (target.type == nullptr) return negated(typed, name, target.unknown, equals != word.npos);
    Words words;
    if (equals != word.npos)
      words = {word.substr(equals + 1)};
    else
      words = following(typed, target);
    add(typed, target, std::move(words));
  }

  /// The words after an option that belong to it.
  Words following(const std::string& typed, const Target& target) {
    const bool more = next_ < arguments_.size();
    if (target.type->kind == Kind::boolean) {
      if (more && scalar_boolean(arguments_[next_])) return {arguments_[next_++]};
      return {"true"};
    }
    if (!more) throw UsageError(format("{}: expected a value after it, found nothing", typed));
    const std::string& value = arguments_[next_];
    if (is_option(value) || value == "--")
      throw UsageError(
          format("{0}: expected a value, found the option {1}; if that is the value, "
                 "write {0}={1}",
                 typed, value));
    Words words = {arguments_[next_++]};
    if (target.type->kind == Kind::list && !target.one_word)
      while (next_ < arguments_.size() && !is_option(arguments_[next_]) &&
             arguments_[next_] != "--" && arguments_[next_] != "-h")
        words.push_back(arguments_[next_++]);
    return words;
  }

  void negated(const std::string& typed, std::string_view name, const std::string& hint,
               bool has_value) {
    if (name.starts_with("no-") || name.starts_with("no_")) {
      const Target target = resolve(type_, name.substr(3));
      if (target.type != nullptr && target.type->kind == Kind::boolean && !has_value)
        return add(typed, target, {"false"});
    }
    throw UsageError(format("{}: no such option{}", typed, hint));
  }

  /// A word that belongs to no option.
  void place(const std::string& word) {
    if (position_ >= positional_.size())
      throw UsageError(format("{}: one argument too many{}", quote(word),
                              positional_.empty() ? "; options are written --name value" : ""));
    const std::string& name = positional_[position_];
    const Target target = resolve(type_, name);
    if (target.type == nullptr) throw std::logic_error("no option for the argument " + name);
    if (target.type->kind != Kind::list) ++position_;
    add(name, target, {word});
  }

  void add(const std::string& typed, const Target& target, Words words) {
    for (const std::string& word : words)
      if (bad_text_at(word) != std::string::npos)
        throw UsageError(format("{}: expected text in UTF-8, found other bytes", typed));
    const auto before =
        std::find_if(parsed_.settings.begin(), parsed_.settings.end(),
                     [&](const Setting& setting) { return setting.key == target.key; });
    if (before == parsed_.settings.end()) {
      parsed_.settings.push_back({typed, target.key, std::move(words)});
    } else if (target.type->kind == Kind::list && !is_whole_list(words) &&
               !is_whole_list(before->words)) {
      before->words.insert(before->words.end(), words.begin(), words.end());
    } else {
      *before = {typed, target.key, std::move(words)};
    }
  }

  const Words& arguments_;
  const FieldType& type_;
  const Words& positional_;
  ParsedArguments parsed_;
  size_t next_ = 0;
  size_t position_ = 0;
};

Value argument(const Setting& setting) {
  const auto origin = std::make_shared<const std::string>(setting.typed);
  Value list = Value::list();
  list.place = {origin, 0};
  for (const std::string& word : setting.words) {
    Value value;
    value.kind = Value::Kind::argument;
    value.scalar = word;
    value.place = {origin, 0};
    list.items.push_back(std::move(value));
  }
  if (list.items.size() != 1) return list;
  Value only = std::move(list.items.front());
  return only;
}

/// Makes `node` a map that can take a field of `type`.
void open_map(Value& node, const FieldType& type) {
  if (node.is_map()) return;
  if (node.kind == Value::Kind::argument && node.scalar.starts_with('{')) {
    node = parse_argument(node);
    if (node.is_map()) return;
  }
  Value map = Value::map();
  map.place = node.place;
  if (node.is_scalar() && !type.scalar_field.empty()) map.set(type.scalar_field, std::move(node));
  node = std::move(map);
}

Value& open_item(Value& node, size_t index, const Setting& setting) {
  if (node.kind == Value::Kind::argument && node.scalar.starts_with('['))
    node = parse_argument(node);
  if (!node.is_list())
    node = Value::list(node.is_null() ? std::vector<Value>{} : std::vector{node});
  const size_t size = node.items.size();
  if (index > size)
    throw UsageError(
        format("{}: expected a position from 0 to {}, found {}", setting.typed, size, index));
  if (index == size) node.items.emplace_back();
  return node.items[index];
}

}  // namespace

ParsedArguments parse_arguments(const std::vector<std::string>& arguments, const FieldType& type,
                                const std::vector<std::string>& positional) {
  return Parser(arguments, type, positional).parse();
}

void apply_setting(Value& recipe, const FieldType& type, const Setting& setting) {
  Value* node = &recipe;
  const FieldType* inner = &type;
  for (const std::string& part : split(setting.key)) {
    if (inner->kind == Kind::list) {
      node = &open_item(*node, list_index(part).value(), setting);
      inner = &inner->element.front();
      continue;
    }
    const FieldDoc* field = find_field(*inner, part);
    if (field == nullptr) throw std::logic_error("no option " + setting.key);
    open_map(*node, *inner);
    // The command line goes before the file, so one entry stays, under the option's own name.
    Value value;
    for (const ValueEntry& entry : node->entries)
      if (find_field(*inner, entry.key) == field) value = entry.value;
    std::erase_if(node->entries,
                  [&](const ValueEntry& entry) { return find_field(*inner, entry.key) == field; });
    node = &node->set(field->name, std::move(value));
    inner = &field->type;
  }
  *node = argument(setting);
}

void set_from_command_line(Value& recipe, const FieldType& type, std::string_view key,
                           std::string_view text) {
  const ParsedArguments parsed = parse_arguments({format("--{}={}", key, text)}, type, {});
  for (const Setting& setting : parsed.settings) apply_setting(recipe, type, setting);
}

}  // namespace lathe
