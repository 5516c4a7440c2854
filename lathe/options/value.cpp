#include "lathe/options/value.h"

#include <algorithm>
#include <cmath>

#include "lathe/base/format.h"
#include "lathe/options/scalar.h"

namespace lathe {
namespace {

Value scalar(Value::Kind kind, std::string text) {
  Value value;
  value.kind = kind;
  value.scalar = std::move(text);
  return value;
}

bool same_scalar(const Value& a, const Value& b) {
  const bool a_text = a.kind == Value::Kind::text, b_text = b.kind == Value::Kind::text;
  if (!a_text && !b_text) {
    const auto p = scalar_boolean(a.scalar), q = scalar_boolean(b.scalar);
    if (p || q) return p == q;
    const auto i = scalar_integer(a.scalar), j = scalar_integer(b.scalar);
    if (i && j) return i == j;
    const auto x = scalar_number(a.scalar), y = scalar_number(b.scalar);
    if (x && y) return *x == *y || (std::isnan(*x) && std::isnan(*y));
    return a.scalar == b.scalar;
  }
  const auto is_text = [](const Value& value) {
    return value.kind == Value::Kind::text ||
           (!scalar_boolean(value.scalar) && !scalar_number(value.scalar));
  };
  return a.scalar == b.scalar && is_text(a) && is_text(b);
}

bool means_null(const Value& value) {
  return value.is_null() || (value.kind == Value::Kind::plain && scalar_is_null(value.scalar));
}

void collect_changes(const Value& a, const Value& b, const std::string& path,
                     std::vector<std::string>& keys) {
  const auto below = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  if (a.is_map() && b.is_map()) {
    const Value unset;
    for (const ValueEntry& entry : a.entries) {
      const Value* other = b.find(entry.key);
      collect_changes(entry.value, other ? *other : unset, below(entry.key), keys);
    }
    for (const ValueEntry& entry : b.entries)
      if (!a.find(entry.key)) collect_changes(unset, entry.value, below(entry.key), keys);
    return;
  }
  if (a.is_list() && b.is_list() && a.items.size() == b.items.size()) {
    for (size_t i = 0; i < a.items.size(); ++i)
      collect_changes(a.items[i], b.items[i], format("{}[{}]", path, i), keys);
    return;
  }
  const bool scalars = a.is_scalar() && b.is_scalar();
  const bool same = (means_null(a) && means_null(b)) ||
                    (scalars && means_null(a) == means_null(b) && same_scalar(a, b));
  if (!same) keys.push_back(path);
}

}  // namespace

Value Value::of(bool value) {
  return lathe::scalar(Kind::plain, value ? "true" : "false");
}

Value Value::of(int64_t value) {
  return lathe::scalar(Kind::plain, std::to_string(value));
}

Value Value::of(double value) {
  return lathe::scalar(Kind::plain, number_text(value));
}

Value Value::of(std::string text) {
  return lathe::scalar(Kind::text, std::move(text));
}

Value Value::list() {
  return list({});
}
Value Value::list(std::vector<Value> items) {
  Value value;
  value.kind = Kind::list;
  value.items = std::move(items);
  return value;
}

Value Value::map() {
  Value value;
  value.kind = Kind::map;
  return value;
}

const Value* Value::find(std::string_view key) const {
  const auto entry = std::find_if(entries.begin(), entries.end(), [&](const ValueEntry& candidate) {
    return candidate.key == key;
  });
  return entry == entries.end() ? nullptr : &entry->value;
}

Value* Value::find(std::string_view key) {
  return const_cast<Value*>(static_cast<const Value*>(this)->find(key));
}

Value& Value::set(std::string_view key, Value value) {
  if (is_null()) kind = Kind::map;
  if (Value* old = find(key)) return *old = std::move(value);
  entries.push_back({std::string(key), std::move(value)});
  return entries.back().value;
}

void Value::erase(std::string_view key) {
  std::erase_if(entries, [&](const ValueEntry& entry) { return entry.key == key; });
}

bool same_value(const Value& a, const Value& b) {
  return changed_keys(a, b).empty();
}

std::vector<std::string> changed_keys(const Value& a, const Value& b) {
  std::vector<std::string> keys;
  collect_changes(a, b, "", keys);
  return keys;
}

}  // namespace lathe
