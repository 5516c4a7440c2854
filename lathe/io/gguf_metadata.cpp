#include "lathe/io/gguf_metadata.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "lathe/base/error.h"
#include "lathe/io/range_text.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

struct TypeInfo {
  std::string_view name;
  size_t bytes;
};

constexpr std::array<TypeInfo, gguf_types> types = {{
    {"uint8", 1},
    {"int8", 1},
    {"uint16", 2},
    {"int16", 2},
    {"uint32", 4},
    {"int32", 4},
    {"float32", 4},
    {"bool", 1},
    {"string", 0},
    {"array", 0},
    {"uint64", 8},
    {"int64", 8},
    {"float64", 8},
}};

template <class T>
T load_number(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

std::string_view load_string(const std::byte* at) {
  return {reinterpret_cast<const char*>(at) + sizeof(uint64_t), load_number<uint64_t>(at)};
}

bool is_float(GgufType type) {
  return type == GgufType::float32 || type == GgufType::float64;
}
bool is_integer(GgufType type) {
  return type != GgufType::boolean && type != GgufType::string && type != GgufType::array &&
         !is_float(type);
}
bool is_boolean(GgufType type) {
  return type == GgufType::boolean;
}
bool is_string(GgufType type) {
  return type == GgufType::string;
}

/// An integer of the file; `fits` becomes false if int64 cannot hold it.
int64_t load_int(GgufType type, const std::byte* at, bool& fits) {
  switch (type) {
    case GgufType::uint8:
      return load_number<uint8_t>(at);
    case GgufType::int8:
      return load_number<int8_t>(at);
    case GgufType::uint16:
      return load_number<uint16_t>(at);
    case GgufType::int16:
      return load_number<int16_t>(at);
    case GgufType::uint32:
      return load_number<uint32_t>(at);
    case GgufType::int32:
      return load_number<int32_t>(at);
    case GgufType::uint64:
      fits = fits && load_number<uint64_t>(at) <= uint64_t{std::numeric_limits<int64_t>::max()};
      return static_cast<int64_t>(load_number<uint64_t>(at));
    default:
      return load_number<int64_t>(at);
  }
}

double load_number(GgufType type, const std::byte* at) {
  return type == GgufType::float32 ? load_number<float>(at) : load_number<double>(at);
}

[[noreturn]] void fail_value(std::string_view key, std::string_view expected,
                             std::string_view found) {
  fail("{}: expected {}, found {}", show_text(key), expected, found);
}

}  // namespace

std::string_view gguf_type_name(GgufType type) {
  return types.at(static_cast<size_t>(type)).name;
}

size_t gguf_type_bytes(GgufType type) {
  return types.at(static_cast<size_t>(type)).bytes;
}

std::string_view GgufStrings::Iterator::operator*() const {
  return load_string(at_);
}

GgufStrings::Iterator& GgufStrings::Iterator::operator++() {
  at_ += sizeof(uint64_t) + load_number<uint64_t>(at_);
  return *this;
}

GgufStrings::Iterator GgufStrings::Iterator::operator++(int) {
  Iterator before = *this;
  ++*this;
  return before;
}

GgufMetadata::GgufMetadata(std::vector<GgufEntry> entries) : entries_(std::move(entries)) {
  std::ranges::sort(entries_, {}, &GgufEntry::key);
  const auto twice = std::ranges::adjacent_find(entries_, {}, &GgufEntry::key);
  if (twice != entries_.end()) fail("the key {} is there twice", show_text(twice->key));
}

const GgufEntry* GgufMetadata::find(std::string_view key) const {
  const auto found = std::ranges::lower_bound(entries_, key, {}, &GgufEntry::key);
  return found == entries_.end() || found->key != key ? nullptr : &*found;
}

const GgufEntry& GgufMetadata::need(std::string_view key, std::string_view expected) const {
  const GgufEntry* entry = find(key);
  if (entry == nullptr) fail("{}: expected {}, but it is missing", show_text(key), expected);
  return *entry;
}

const GgufEntry& GgufMetadata::need_array(std::string_view key, std::string_view expected,
                                          bool (*fits)(GgufType)) const {
  const GgufEntry& entry = need(key, expected);
  if (entry.type != GgufType::array || !fits(entry.element))
    fail_value(key, expected, show_gguf_value(entry));
  return entry;
}

int64_t GgufMetadata::get_int(std::string_view key, int64_t min, int64_t max) const {
  const std::string expected = range_text("an integer", min, max);
  const GgufEntry& entry = need(key, expected);
  bool fits = is_integer(entry.type);
  const int64_t value = fits ? load_int(entry.type, entry.data.data(), fits) : 0;
  if (!fits || value < min || value > max) fail_value(key, expected, show_gguf_value(entry));
  return value;
}

int64_t GgufMetadata::get_int_or(std::string_view key, int64_t fallback, int64_t min,
                                 int64_t max) const {
  return has(key) ? get_int(key, min, max) : fallback;
}

double GgufMetadata::get_number(std::string_view key, double min, double max) const {
  const std::string expected = range_text("a number", min, max);
  const GgufEntry& entry = need(key, expected);
  const double value =
      is_float(entry.type) ? load_number(entry.type, entry.data.data()) : std::nan("");
  if (!(value >= min && value <= max)) fail_value(key, expected, show_gguf_value(entry));
  return value;
}

double GgufMetadata::get_number_or(std::string_view key, double fallback, double min,
                                   double max) const {
  return has(key) ? get_number(key, min, max) : fallback;
}

bool GgufMetadata::get_bool(std::string_view key) const {
  const GgufEntry& entry = need(key, "true or false");
  if (!is_boolean(entry.type) || load_number<uint8_t>(entry.data.data()) > 1)
    fail_value(key, "true or false", show_gguf_value(entry));
  return load_number<uint8_t>(entry.data.data()) == 1;
}

bool GgufMetadata::get_bool_or(std::string_view key, bool fallback) const {
  return has(key) ? get_bool(key) : fallback;
}

std::string_view GgufMetadata::get_string(std::string_view key) const {
  const GgufEntry& entry = need(key, "a string");
  if (!is_string(entry.type)) fail_value(key, "a string", show_gguf_value(entry));
  const std::string_view text = load_string(entry.data.data());
  if (!is_valid_utf8(text)) fail_value(key, "valid UTF-8", show_text(text));
  return text;
}

std::string_view GgufMetadata::get_string_or(std::string_view key,
                                             std::string_view fallback) const {
  return has(key) ? get_string(key) : fallback;
}

GgufStrings GgufMetadata::get_strings(std::string_view key) const {
  const GgufEntry& entry = need_array(key, "an array of strings", is_string);
  return {entry.data, entry.count};
}

std::vector<int64_t> GgufMetadata::get_ints(std::string_view key, int64_t min, int64_t max) const {
  const GgufEntry& entry = need_array(key, "an array of integers", is_integer);
  std::vector<int64_t> values(entry.count);
  const std::byte* at = entry.data.data();
  for (int64_t& value : values) {
    bool fits = true;
    value = load_int(entry.element, at, fits);
    if (!fits || value < min || value > max)
      fail_value(key, range_text("integers", min, max), format("{}", value));
    at += gguf_type_bytes(entry.element);
  }
  return values;
}

std::vector<double> GgufMetadata::get_numbers(std::string_view key) const {
  const GgufEntry& entry = need_array(key, "an array of numbers", is_float);
  std::vector<double> values(entry.count);
  const std::byte* at = entry.data.data();
  for (double& value : values) {
    value = load_number(entry.element, at);
    if (!std::isfinite(value)) fail_value(key, "finite numbers", format("{}", value));
    at += gguf_type_bytes(entry.element);
  }
  return values;
}

std::vector<bool> GgufMetadata::get_bools(std::string_view key) const {
  const GgufEntry& entry = need_array(key, "an array of true and false", is_boolean);
  std::vector<bool> values;
  for (const std::byte value : entry.data) {
    if (std::to_integer<int>(value) > 1)
      fail_value(key, "true or false as 1 or 0", format("{}", std::to_integer<int>(value)));
    values.push_back(value != std::byte{0});
  }
  return values;
}

std::string show_gguf_value(const GgufEntry& entry) {
  const std::string_view name = gguf_type_name(entry.type);
  const std::byte* at = entry.data.data();
  bool fits = true;
  if (entry.type == GgufType::array)
    return format("array of {} {}", entry.count, gguf_type_name(entry.element));
  if (is_string(entry.type)) return format("string {}", show_text(load_string(at)));
  if (is_float(entry.type)) return format("{} {}", name, load_number(entry.type, at));
  if (is_boolean(entry.type)) return format("bool {}", load_number<uint8_t>(at));
  const int64_t value = load_int(entry.type, at, fits);
  return fits ? format("{} {}", name, value) : format("{} {}", name, load_number<uint64_t>(at));
}

}  // namespace lathe
