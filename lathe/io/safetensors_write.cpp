#include <algorithm>
#include <nlohmann/json.hpp>

#include "lathe/base/error.h"
#include "lathe/io/safetensors.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

std::string json_string(std::string_view text) {
  if (!is_valid_utf8(text)) fail("{}: expected valid UTF-8", show_text(text));
  return nlohmann::json(text).dump();
}

uint64_t bytes_of(const TensorView& tensor) {
  const auto bytes = tensor_bytes(tensor.dtype, tensor.shape);
  if (!bytes)
    fail("tensor {}: {} has no whole number of bytes below 2^63", show_text(tensor.name),
         describe_tensor(tensor.dtype, tensor.shape));
  return *bytes;
}

/// In the order of the file.
std::vector<const TensorView*> sorted(std::span<const TensorView> tensors) {
  std::vector<const TensorView*> order;
  for (const TensorView& tensor : tensors) order.push_back(&tensor);
  std::ranges::sort(order, {}, [](const TensorView* tensor) {
    return std::pair(-static_cast<int>(tensor->dtype), std::string_view(tensor->name));
  });
  std::vector<std::string_view> names;
  for (const TensorView& tensor : tensors) names.push_back(tensor.name);
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) fail("tensor {} is there twice", show_text(*twice));
  return order;
}

void write_all(FileWriter& writer, const std::string& header,
               std::span<const TensorView* const> order) {
  const uint64_t length = header.size();
  writer.write(std::as_bytes(std::span(&length, 1)));
  writer.write(header);
  for (const TensorView* tensor : order) {
    const auto bytes = tensor->make ? tensor->make() : tensor->bytes;
    if (bytes.size() != bytes_of(*tensor))
      fail("tensor {}: {} takes {} bytes, given are {}", show_text(tensor->name),
           describe_tensor(tensor->dtype, tensor->shape), bytes_of(*tensor), bytes.size());
    writer.write(bytes);
  }
}

}  // namespace

std::string format_safetensors_header(std::span<const TensorView* const> tensors,
                                      const std::map<std::string, std::string>& metadata) {
  std::string text = "{";
  if (!metadata.empty()) {
    text += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata)
      text += format("{}:{},", json_string(key), json_string(value));
    text.back() = '}';
    text += ',';
  }
  uint64_t offset = 0;
  for (const TensorView* tensor : tensors) {
    if (tensor->name == "__metadata__") fail("a tensor cannot have the name \"__metadata__\"");
    uint64_t end = 0;
    if (__builtin_add_overflow(offset, bytes_of(*tensor), &end) || end >> 63 != 0)
      fail("the tensors take more than 2^63 bytes");
    text += format("{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}},",
                   json_string(tensor->name), dtype_name(tensor->dtype),
                   fmt::join(tensor->shape, ","), offset, end);
    offset = end;
  }
  if (text.back() == ',') text.pop_back();
  text += '}';
  text.resize((text.size() + 7) / 8 * 8, ' ');
  if (text.size() > max_safetensors_header)
    fail("a header of {} bytes, allowed are {}: write several files", text.size(),
         max_safetensors_header);
  return text;
}

void write_safetensors(const fs::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata) {
  const Context doing("writing {}", path.string());
  const auto order = sorted(tensors);
  const std::string header = format_safetensors_header(order, metadata);
  FileWriter writer(path);
  write_all(writer, header, order);
  writer.finish();
}

void write_safetensors_atomic(const fs::path& path, std::span<const TensorView> tensors,
                              const std::map<std::string, std::string>& metadata) {
  const Context doing("writing {}", path.string());
  const auto order = sorted(tensors);
  const std::string header = format_safetensors_header(order, metadata);
  replace_file(path, [&](FileWriter& writer) { write_all(writer, header, order); });
}

}  // namespace lathe
