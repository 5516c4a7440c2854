#include "lathe/io/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <vector>

#include "lathe/base/error.h"
#include "lathe/base/file.h"
#include "lathe/io/json_events.h"
#include "lathe/io/range_text.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

using nlohmann::json;

/// Builds the document. `open_` points at the containers that are not closed yet; a container does
/// not move while it is open, since only the innermost one grows.
template <class Json>
class Builder final : public JsonEvents {
 public:
  Builder(std::string_view text, uint64_t most_memory) : text_(text), most_(most_memory) {}

  void null() override { add(nullptr); }
  void boolean(bool value) override { add(value); }
  void integer(int64_t value) override { add(value); }
  void natural(uint64_t value) override { add(value); }
  void real(double value) override { add(value); }
  void string(std::string value) override {
    use(string_bytes + heap_of(value));
    value.shrink_to_fit();
    add(std::move(value));
  }
  void begin_object() override {
    use(object_bytes);
    open_.push_back(add(Json::object()));
  }
  void begin_array() override {
    use(array_bytes);
    open_.push_back(add(Json::array()));
  }
  void end_object() override {
    if constexpr (in_order) check_keys(open_.back()->template get_ref<const Members&>());
    open_.pop_back();
  }
  void end_array() override { open_.pop_back(); }
  void key(std::string name) override {
    use(member_bytes + heap_of(name));
    name.shrink_to_fit();
    auto& members = open_.back()->template get_ref<Members&>();
    if constexpr (in_order) {
      // The map itself would look through all keys there are.
      members.emplace_back(std::piecewise_construct, std::forward_as_tuple(std::move(name)),
                           std::forward_as_tuple());
      member_ = &members.back().second;
    } else {
      const auto [member, is_new] = members.try_emplace(std::move(name));
      if (!is_new) fail_twice(member->first);
      member_ = &member->second;
    }
  }

  Json take() { return std::move(root_); }

 private:
  using Members = typename Json::object_t;
  static constexpr bool in_order = std::is_same_v<Json, nlohmann::ordered_json>;

  // What parts of a document take on the heap, its own bookkeeping included; three times as much
  // where they lie in a vector, while it grows.
  static constexpr uint64_t string_bytes = 48, object_bytes = 64, array_bytes = 48;
  static constexpr uint64_t member_bytes = in_order ? 3 * sizeof(typename Members::value_type)
                                                    : 32 + sizeof(std::string) + sizeof(Json) + 16;
  static constexpr uint64_t element_bytes = 3 * sizeof(Json);

  static uint64_t heap_of(const std::string& text) {
    constexpr size_t within = 15;  // shorter ones are stored in the object
    return text.size() > within ? (text.size() + 24) & ~uint64_t{15} : 0;
  }
  void use(uint64_t bytes) {
    used_ += bytes;
    if (used_ > most_)
      fail("{}: up to here values take more than {} bytes of memory, far more than their text",
           line_and_column(text_, position), most_);
  }

  [[noreturn]] void fail_twice(const std::string& name) const {
    fail("{}: the key {} is there twice", line_and_column(text_, position), show_text(name));
  }

  void check_keys(const Members& members) const {
    std::vector<std::string_view> names;
    for (const auto& [name, value] : members) names.push_back(name);
    std::ranges::sort(names);
    const auto twice = std::ranges::adjacent_find(names);
    if (twice != names.end()) fail_twice(std::string(*twice));
  }

  template <class Value>
  Json* add(Value&& value) {
    if (open_.empty()) {
      root_ = std::forward<Value>(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      use(element_bytes);
      return &open_.back()->template get_ref<typename Json::array_t&>().emplace_back(
          std::forward<Value>(value));
    }
    *member_ = std::forward<Value>(value);
    return member_;
  }

  std::string_view text_;
  uint64_t most_, used_ = 0;
  Json root_;
  std::vector<Json*> open_;
  Json* member_ = nullptr;
};

template <class Json>
Json build(std::string_view text, uint64_t most_memory) {
  Builder<Json> builder(text, most_memory);
  parse_json_events(text, builder);
  return builder.take();
}

template <class Json>
Json load(const fs::path& path, uint64_t limit) {
  const std::string content = read_file(path, limit);
  const Context doing("reading {}", path.string());
  std::string_view text = content;
  if (begins_with_bom(text)) text.remove_prefix(3);
  constexpr uint64_t always = 16 << 20;
  return build<Json>(text, 3 * text.size() + always);
}

template <class Json>
std::string show(const Json& value) {
  if (value.is_string()) return show_text(value.template get_ref<const std::string&>());
  if (value.is_array()) return format("an array of {} values", value.size());
  if (value.is_object()) return format("an object of {} members", value.size());
  return value.dump();
}

template <class Json>
const Json* member_of(const Json& object, std::string_view key) {
  require(object.is_object(), "{}: expected an object that may hold it, found {}", show_text(key),
          show(object));
  const auto member = object.find(key);
  return member == object.end() || member->is_null() ? nullptr : &*member;
}

template <class Json>
[[noreturn]] void fail_member(std::string_view key, std::string_view expected, const Json* found) {
  if (found == nullptr) fail("{}: expected {}, but it is missing", show_text(key), expected);
  fail("{}: expected {}, found {}", show_text(key), expected, show(*found));
}

template <class Json>
const Json& need(const Json& object, std::string_view key, std::string_view expected) {
  const Json* member = member_of(object, key);
  if (member == nullptr) fail_member(key, expected, member);
  return *member;
}

int64_t as_int(const json& value, std::string_view key, int64_t min, int64_t max) {
  const bool fits =
      value.is_number_integer() &&
      (!value.is_number_unsigned() ||
       value.get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()));
  if (!fits || value.get<int64_t>() < min || value.get<int64_t>() > max)
    fail_member(key, range_text("an integer", min, max), &value);
  return value.get<int64_t>();
}

double as_number(const json& value, std::string_view key, double min, double max) {
  if (!value.is_number() || !(value.get<double>() >= min) || !(value.get<double>() <= max))
    fail_member(key, range_text("a number", min, max), &value);
  return value.get<double>();
}

bool as_bool(const json& value, std::string_view key) {
  if (!value.is_boolean()) fail_member(key, "true or false", &value);
  return value.get<bool>();
}

template <class Json>
std::string as_string(const Json& value, std::string_view key) {
  if (!value.is_string()) fail_member(key, "a string", &value);
  return value.template get<std::string>();
}

}  // namespace

json parse_json(std::string_view text, uint64_t most_memory) {
  return build<json>(text, most_memory);
}

nlohmann::ordered_json parse_ordered_json(std::string_view text, uint64_t most_memory) {
  return build<nlohmann::ordered_json>(text, most_memory);
}

json load_json(const fs::path& path, uint64_t limit) {
  return load<json>(path, limit);
}

nlohmann::ordered_json load_ordered_json(const fs::path& path, uint64_t limit) {
  return load<nlohmann::ordered_json>(path, limit);
}

const json* find_member(const json& object, std::string_view key) {
  return member_of(object, key);
}

const nlohmann::ordered_json* find_member(const nlohmann::ordered_json& object,
                                          std::string_view key) {
  return member_of(object, key);
}

int64_t get_int(const json& object, std::string_view key, int64_t min, int64_t max) {
  return as_int(need(object, key, range_text("an integer", min, max)), key, min, max);
}

int64_t get_int_or(const json& object, std::string_view key, int64_t fallback, int64_t min,
                   int64_t max) {
  const json* member = find_member(object, key);
  return member == nullptr ? fallback : as_int(*member, key, min, max);
}

uint64_t get_count(const json& object, std::string_view key) {
  return static_cast<uint64_t>(get_int(object, key, 0));
}

double get_number(const json& object, std::string_view key, double min, double max) {
  return as_number(need(object, key, range_text("a number", min, max)), key, min, max);
}

double get_number_or(const json& object, std::string_view key, double fallback, double min,
                     double max) {
  const json* member = find_member(object, key);
  return member == nullptr ? fallback : as_number(*member, key, min, max);
}

bool get_bool(const json& object, std::string_view key) {
  return as_bool(need(object, key, "true or false"), key);
}

bool get_bool_or(const json& object, std::string_view key, bool fallback) {
  const json* member = find_member(object, key);
  return member == nullptr ? fallback : as_bool(*member, key);
}

std::string get_string(const json& object, std::string_view key) {
  return as_string(need(object, key, "a string"), key);
}

std::string get_string_or(const json& object, std::string_view key, std::string_view fallback) {
  const json* member = find_member(object, key);
  return member == nullptr ? std::string(fallback) : as_string(*member, key);
}

std::string get_string(const nlohmann::ordered_json& object, std::string_view key) {
  return as_string(need(object, key, "a string"), key);
}

std::string get_string_or(const nlohmann::ordered_json& object, std::string_view key,
                          std::string_view fallback) {
  const auto* member = find_member(object, key);
  return member == nullptr ? std::string(fallback) : as_string(*member, key);
}

const json& get_array(const json& object, std::string_view key) {
  const json& value = need(object, key, "an array");
  if (!value.is_array()) fail_member(key, "an array", &value);
  return value;
}

const json& get_object(const json& object, std::string_view key) {
  const json& value = need(object, key, "an object");
  if (!value.is_object()) fail_member(key, "an object", &value);
  return value;
}

std::string show_json(const json& value) {
  return show(value);
}

std::string show_json(const nlohmann::ordered_json& value) {
  return show(value);
}

}  // namespace lathe
