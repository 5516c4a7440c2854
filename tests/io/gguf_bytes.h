// GGUF files byte by byte, so that tests can make wrong ones.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lathe/io/gguf_metadata.h"

namespace lathe {

class GgufBytes {
 public:
  /// Begins with the magic, the version and the counts.
  GgufBytes(uint64_t tensors, uint64_t entries, uint32_t version = 3) {
    raw("GGUF").number(version).number(tensors).number(entries);
  }

  GgufBytes& raw(std::string_view bytes) {
    text_ += bytes;
    return *this;
  }
  template <class T>
  GgufBytes& number(T value) {
    return raw({reinterpret_cast<const char*>(&value), sizeof value});
  }
  GgufBytes& string(std::string_view text) { return number(uint64_t{text.size()}).raw(text); }

  GgufBytes& key(std::string_view key, GgufType type) {
    return string(key).number(static_cast<uint32_t>(type));
  }
  template <class T>
  GgufBytes& entry(std::string_view name, GgufType type, T value) {
    return key(name, type).number(value);
  }
  GgufBytes& array(std::string_view name, GgufType element, uint64_t count) {
    return key(name, GgufType::array).number(static_cast<uint32_t>(element)).number(count);
  }
  GgufBytes& alignment(uint32_t value) {
    return entry("general.alignment", GgufType::uint32, value);
  }

  /// A tensor's line; `shape` in the order of files: the fastest dimension first.
  GgufBytes& tensor(std::string_view name, const std::vector<uint64_t>& shape, uint32_t format,
                    uint64_t offset) {
    string(name).number(static_cast<uint32_t>(shape.size()));
    for (const uint64_t size : shape) number(size);
    return number(format).number(offset);
  }
  /// The padding up to the tensors' data and `bytes` of it, counting up.
  GgufBytes& data(size_t bytes, size_t alignment = 32) {
    text_.resize((text_.size() + alignment - 1) / alignment * alignment);
    for (size_t i = 0; i < bytes; ++i) text_ += static_cast<char>(i);
    return *this;
  }

  const std::string& text() const { return text_; }
  std::span<const std::byte> span() const { return std::as_bytes(std::span(text_)); }

 private:
  std::string text_;
};

}  // namespace lathe
