// The metadata of a GGUF file: typed values by key, as they lie in the mapped file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lathe {

/// The types of values, by their numbers in files.
enum class GgufType : uint32_t {
  uint8,
  int8,
  uint16,
  int16,
  uint32,
  int32,
  float32,
  boolean,
  string,
  array,
  uint64,
  int64,
  float64,
};
constexpr uint32_t gguf_types = 13;

/// The name for messages, such as "uint32".
std::string_view gguf_type_name(GgufType type);

/// The bytes of a value; 0 for strings and arrays, whose size is in the file.
size_t gguf_type_bytes(GgufType type);

/// A key with its value, both views of the file.
struct GgufEntry {
  std::string_view key;
  GgufType type;
  GgufType element;                 ///< of an array; otherwise `type`
  uint64_t count;                   ///< elements of an array; otherwise 1
  std::span<const std::byte> data;  ///< the elements, or the value; strings with their lengths
};

/// The strings of an array, one after the other; nothing is copied. They can be any bytes.
class GgufStrings {
 public:
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;
    using pointer = const std::string_view*;
    using reference = std::string_view;

    Iterator() = default;
    explicit Iterator(const std::byte* at) : at_(at) {}
    std::string_view operator*() const;
    Iterator& operator++();
    Iterator operator++(int);
    bool operator==(const Iterator&) const = default;

   private:
    const std::byte* at_ = nullptr;
  };

  /// `data` is that of an entry of strings, checked when the file was opened.
  GgufStrings(std::span<const std::byte> data, uint64_t count) : data_(data), count_(count) {}
  Iterator begin() const { return Iterator(data_.data()); }
  Iterator end() const { return Iterator(data_.data() + data_.size()); }
  size_t size() const { return count_; }

 private:
  std::span<const std::byte> data_;
  size_t count_;
};

/// The entries of a file. Reading a value as another type than it has, or outside of [min, max], is
/// an Error that names the key:
///
///   "llama.block_count": expected an integer >= 1, found string "many"
class GgufMetadata {
 public:
  GgufMetadata() = default;
  /// Sorts the entries. Throws Error if a key is there twice.
  explicit GgufMetadata(std::vector<GgufEntry> entries);

  std::span<const GgufEntry> entries() const { return entries_; }  ///< sorted by key
  const GgufEntry* find(std::string_view key) const;
  bool has(std::string_view key) const { return find(key) != nullptr; }

  // Integers have any integer type, numbers one of the two float types. Without a fallback a
  // missing key is an Error.
  int64_t get_int(std::string_view key, int64_t min = std::numeric_limits<int64_t>::min(),
                  int64_t max = std::numeric_limits<int64_t>::max()) const;
  int64_t get_int_or(std::string_view key, int64_t fallback,
                     int64_t min = std::numeric_limits<int64_t>::min(),
                     int64_t max = std::numeric_limits<int64_t>::max()) const;
  double get_number(std::string_view key, double min = std::numeric_limits<double>::lowest(),
                    double max = std::numeric_limits<double>::max()) const;
  double get_number_or(std::string_view key, double fallback,
                       double min = std::numeric_limits<double>::lowest(),
                       double max = std::numeric_limits<double>::max()) const;
  bool get_bool(std::string_view key) const;
  bool get_bool_or(std::string_view key, bool fallback) const;
  /// Valid UTF-8.
  std::string_view get_string(std::string_view key) const;
  std::string_view get_string_or(std::string_view key, std::string_view fallback) const;

  GgufStrings get_strings(std::string_view key) const;
  std::vector<int64_t> get_ints(std::string_view key,
                                int64_t min = std::numeric_limits<int64_t>::min(),
                                int64_t max = std::numeric_limits<int64_t>::max()) const;
  /// None of them infinite or NaN.
  std::vector<double> get_numbers(std::string_view key) const;
  std::vector<bool> get_bools(std::string_view key) const;

 private:
  const GgufEntry& need(std::string_view key, std::string_view expected) const;
  const GgufEntry& need_array(std::string_view key, std::string_view expected,
                              bool (*fits)(GgufType)) const;

  std::vector<GgufEntry> entries_;
};

/// The value for a person, on one line and cut: its type, and for an array the number of elements.
std::string show_gguf_value(const GgufEntry& entry);

}  // namespace lathe
