#include <algorithm>
#include <iterator>

#include "lathe/base/error.h"
#include "lathe/io/gguf.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

constexpr uint32_t version = 3;

void append_bytes(std::string& out, const auto& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_text(std::string& out, std::string_view text) {
  append_bytes(out, uint64_t{text.size()});
  out += text;
}

uint64_t value_bytes(const GgufTensorView& tensor) {
  const auto bytes = block_bytes(*tensor.format, tensor.shape);
  if (!bytes)
    fail("tensor {}: ({}) is no shape of {}: rows of whole blocks of {}, below 2^63 bytes",
         show_text(tensor.name), fmt::join(tensor.shape, ", "), tensor.format->name,
         tensor.format->elements);
  return *bytes;
}

void check_gguf_names(std::span<const GgufTensorView> tensors) {
  std::vector<std::string_view> names;
  for (const GgufTensorView& tensor : tensors) {
    names.push_back(tensor.name);
    if (tensor.name.empty() || tensor.name.size() > max_gguf_name || !is_valid_utf8(tensor.name))
      fail("expected names of tensors of 1 to {} bytes of UTF-8, found {}", max_gguf_name,
           show_text(tensor.name));
    if (tensor.shape.size() > max_gguf_rank)
      fail("tensor {}: at most {} dimensions, found {}", show_text(tensor.name), max_gguf_rank,
           tensor.shape.size());
  }
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) fail("tensor {} is there twice", show_text(*twice));
}

void write_padding(FileWriter& writer) {
  const uint64_t padded = *gguf_pad(writer.bytes(), default_gguf_alignment);
  writer.write(std::string(padded - writer.bytes(), '\0'));
}

}  // namespace

void GgufFields::append(const auto& value) {
  append_bytes(bytes_, value);
}

void GgufFields::append_string(std::string_view text) {
  append_text(bytes_, text);
}

void GgufFields::begin(std::string_view key, GgufType type) {
  if (key.empty() || key.size() > max_gguf_key || !is_valid_utf8(key))
    fail("expected keys of 1 to {} bytes of UTF-8, found {}", max_gguf_key, show_text(key));
  const auto place = std::ranges::lower_bound(keys_, key);
  if (place != keys_.end() && *place == key) fail("the key {} is given twice", show_text(key));
  keys_.emplace(place, key);
  append_string(key);
  append(type);
}

void GgufFields::begin_array(std::string_view key, GgufType element, size_t count) {
  begin(key, GgufType::array);
  append(element);
  append(uint64_t{count});
}

void GgufFields::put_uint32(std::string_view key, uint32_t value) {
  begin(key, GgufType::uint32);
  append(value);
}

void GgufFields::put_uint64(std::string_view key, uint64_t value) {
  begin(key, GgufType::uint64);
  append(value);
}

void GgufFields::put_float32(std::string_view key, float value) {
  begin(key, GgufType::float32);
  append(value);
}

void GgufFields::put_bool(std::string_view key, bool value) {
  begin(key, GgufType::boolean);
  append(uint8_t{value});
}

void GgufFields::put_string(std::string_view key, std::string_view value) {
  begin(key, GgufType::string);
  append_string(value);
}

void GgufFields::put_int32s(std::string_view key, std::span<const int32_t> values) {
  begin_array(key, GgufType::int32, values.size());
  for (const int32_t value : values) append(value);
}

void GgufFields::put_float32s(std::string_view key, std::span<const float> values) {
  begin_array(key, GgufType::float32, values.size());
  for (const float value : values) append(value);
}

void GgufFields::put_bools(std::string_view key, const std::vector<bool>& values) {
  begin_array(key, GgufType::boolean, values.size());
  for (const bool value : values) append(uint8_t{value});
}

void GgufFields::put_strings(std::string_view key, std::span<const std::string> values) {
  begin_array(key, GgufType::string, values.size());
  for (const std::string& value : values) append_string(value);
}

void GgufFields::put(const GgufEntry& entry) {
  if (entry.type == GgufType::array) {
    begin_array(entry.key, entry.element, entry.count);
  } else {
    begin(entry.key, entry.type);
  }
  bytes_.append(reinterpret_cast<const char*>(entry.data.data()), entry.data.size());
}

void GgufFields::put(const GgufFields& others) {
  for (const std::string& key : others.keys_)
    if (has(key)) fail("the key {} is given twice", show_text(key));
  std::vector<std::string> all;
  std::ranges::merge(keys_, others.keys_, std::back_inserter(all));
  keys_ = std::move(all);
  bytes_ += others.bytes_;
}

bool GgufFields::has(std::string_view key) const {
  return std::ranges::binary_search(keys_, key);
}

std::string format_gguf_header(const GgufFields& fields, std::span<const GgufTensorView> tensors) {
  std::string header = "GGUF";
  append_bytes(header, version);
  append_bytes(header, uint64_t{tensors.size()});
  append_bytes(header, fields.count());
  header += fields.bytes();
  uint64_t offset = 0;
  for (const GgufTensorView& tensor : tensors) {
    append_text(header, tensor.name);
    append_bytes(header, static_cast<uint32_t>(tensor.shape.size()));
    for (size_t i = tensor.shape.size(); i-- > 0;)
      append_bytes(header, static_cast<uint64_t>(tensor.shape[i]));
    append_bytes(header, tensor.format->id);
    append_bytes(header, offset);
    uint64_t end = 0;
    const bool wraps = __builtin_add_overflow(offset, value_bytes(tensor), &end);
    const auto next = wraps ? std::nullopt : gguf_pad(end, default_gguf_alignment);
    if (!next) fail("the tensors take more than 2^63 bytes");
    offset = *next;
  }
  return header;
}

void write_gguf(const fs::path& path, const GgufFields& fields,
                std::span<const GgufTensorView> tensors) {
  const Context doing("writing {}", path.string());
  check_gguf_names(tensors);
  const std::string header = format_gguf_header(fields, tensors);
  replace_file(path, [&](FileWriter& writer) {
    writer.write(header);
    write_padding(writer);
    for (const GgufTensorView& tensor : tensors) {
      const auto bytes = tensor.make();
      if (bytes.size() != value_bytes(tensor))
        fail("tensor {}: {} ({}) takes {} bytes, given are {}", show_text(tensor.name),
             tensor.format->name, fmt::join(tensor.shape, ", "), value_bytes(tensor), bytes.size());
      writer.write(bytes);
      write_padding(writer);
    }
  });
}

}  // namespace lathe
