#include "lathe/options/fields.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "lathe/options/scalar.h"

namespace lathe {
namespace {

std::string below(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : format("{}.{}", path, key);
}

/// A value that stands where the key of `entry` does.
Value at_key(const ValueEntry& entry) {
  Value place;
  place.place = entry.value.place;
  if (entry.line != 0) place.place.line = entry.line;
  return place;
}

[[noreturn]] void fail_missing(const Value& map, const std::string& path, const std::string& name,
                               const std::string& doc) {
  const bool command = map.place.origin && map.place.line == 0 && path.empty();
  if (command) fail_at(map, "", format("--{} is missing: {}", name, doc));
  fail_at(map, below(path, name), format("missing: {}", doc));
}

}  // namespace

void Fields::add(Bound bound) {
  if (bound.field.group.empty()) bound.field.group = group_;
  std::vector<std::string> spellings = bound.field.aliases;
  spellings.push_back(bound.name);
  for (const std::string& spelling : spellings)
    if (find(spelling) != nullptr)
      throw std::logic_error(format("the option {} is declared twice", quote(spelling)));
  bound_.push_back(std::move(bound));
}

const Fields::Bound* Fields::find(std::string_view key) const {
  std::string name(key);
  std::replace(name.begin(), name.end(), '-', '_');
  for (const Bound& bound : bound_) {
    const auto& aliases = bound.field.aliases;
    if (bound.name == name || std::find(aliases.begin(), aliases.end(), name) != aliases.end())
      return &bound;
  }
  return nullptr;
}

void Fields::read(const Value& map, std::string_view key) {
  std::map<const Bound*, const ValueEntry*> given;
  for (const ValueEntry& entry : map.entries) {
    const Bound* bound = find(entry.key);
    if (bound == nullptr)
      fail_at(at_key(entry), below(key, entry.key),
              "no such option" + field_hint(describe(""), entry.key));
    const auto [other, first] = given.emplace(bound, &entry);
    if (!first)
      fail_at(at_key(entry), below(key, entry.key),
              format("the same option as {}, which is given too; keep one of them",
                     quote(other->second->key)));
    const bool from_file = entry.value.place.origin && entry.value.place.line != 0;
    if (bound->field.command_line && from_file)
      fail_at(at_key(entry), below(key, entry.key),
              format("not for recipes; give --{} on the command line", bound->name));
  }
  for (const Bound& bound : bound_) {
    const auto found = given.find(&bound);
    if (found == given.end()) {
      if (bound.field.required) fail_missing(map, std::string(key), bound.name, bound.doc);
      continue;
    }
    const ValueEntry& entry = *found->second;
    bound.read(entry.value, below(key, entry.key), bound.field);
  }
}

Value Fields::values() const {
  Value map = Value::map();
  for (const Bound& bound : bound_)
    if (!bound.field.command_line) map.entries.push_back({bound.name, bound.write()});
  return map;
}

Value Fields::write(const Value& defaults, bool brief) const {
  const auto refused = [&](const ValueEntry& entry) {
    const Bound& bound = *find(entry.key);
    try {
      bound.read(entry.value, entry.key, bound.field);
      return false;
    } catch (const Error&) {
      return true;
    }
  };
  Value map = values();
  std::erase_if(map.entries, [&](const ValueEntry& entry) {
    const Value* initial = defaults.find(entry.key);
    const bool at_default = initial != nullptr && same_value(entry.value, *initial);
    return at_default && (brief || entry.value.is_null() || refused(entry));
  });
  return map;
}

FieldType Fields::describe(std::string_view scalar_field) const {
  FieldType type = FieldType::of(FieldType::Kind::map);
  type.unsupported = unsupported_;
  type.scalar_field = scalar_field;
  for (const Bound& bound : bound_)
    type.fields.push_back({bound.name, bound.doc, bound.field, bound.type(), bound.write()});
  return type;
}

}  // namespace lathe
