#include "lathe/io/gguf.h"

#include "lathe/base/error.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

constexpr size_t longest_shown = 1000;

std::map<std::string, std::string> show_all(const GgufMetadata& metadata) {
  std::map<std::string, std::string> shown;
  for (const GgufEntry& entry : metadata.entries()) {
    const bool short_text =
        entry.type == GgufType::string && entry.data.size() <= longest_shown + sizeof(uint64_t);
    std::string value = show_gguf_value(entry);
    if (short_text) {
      const std::string_view text = *GgufStrings(entry.data, 1).begin();
      value = is_valid_utf8(text) ? std::string(text) : show_text(text, longest_shown);
    } else if (entry.type != GgufType::array && entry.type != GgufType::string) {
      value.erase(0, value.find(' ') + 1);  // numbers go without their type
    }
    shown.emplace(entry.key, std::move(value));
  }
  return shown;
}

}  // namespace

bool is_gguf(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return false;
  return MappedFile(path).text().starts_with("GGUF");
}

GgufFile::GgufFile(const fs::path& path) : file_(path) {
  const Context doing("reading {}", path.string());
  header_ = parse_gguf_header(file_.bytes());
  shown_ = show_all(header_.metadata);
}

const BlockFormat& GgufFile::format_of(const TensorInfo& tensor) const {
  const size_t index = find_tensor(header_.tensors, tensor.name);
  if (index == header_.tensors.size())
    fail("tensor {} is not of this file", show_text(tensor.name));
  return *header_.formats[index];
}

std::string_view GgufFile::stored_type(const TensorInfo& tensor) const {
  return format_of(tensor).name;
}

uint64_t GgufFile::stored_bytes(const TensorInfo& tensor) const {
  return stored(tensor).size();
}

std::span<const std::byte> GgufFile::stored(const TensorInfo& tensor) const {
  const BlockFormat& format = format_of(tensor);
  const auto all = file_.bytes().subspan(header_.data_offset);
  const auto bytes = block_bytes(format, tensor.shape);
  if (!bytes || tensor.offset > all.size() || *bytes > all.size() - tensor.offset)
    fail("tensor {} is not of this file", show_text(tensor.name));
  return all.subspan(tensor.offset, *bytes);
}

std::span<const std::byte> GgufFile::data(const TensorInfo& tensor,
                                          std::vector<std::byte>& scratch) const {
  const BlockFormat& format = format_of(tensor);
  const auto bytes = stored(tensor);
  if (format.dtype) return bytes;
  const Context doing("tensor {}", show_text(tensor.name));
  const size_t elements = bytes.size() / format.bytes * format.elements;
  scratch.resize(format.decode == nullptr ? 0 : elements * sizeof(float));
  // A vector's memory is aligned for any type.
  decode_blocks(format, bytes, {reinterpret_cast<float*>(scratch.data()), elements});
  return scratch;
}

}  // namespace lathe
