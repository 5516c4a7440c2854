#include "lathe/io/safetensors.h"

#include <bit>
#include <cstring>

#include "lathe/base/error.h"
#include "lathe/io/file_kind.h"
#include "lathe/io/utf8.h"

namespace lathe {

static_assert(std::endian::native == std::endian::little, "tensors are little-endian in files");

SafetensorsFile::SafetensorsFile(const fs::path& path) : file_(path) {
  const Context doing("reading {}", path.string());
  const std::string_view text = file_.text();
  const std::string_view kind = file_kind(text);
  const std::string hint = kind.empty() ? "" : format(" (it looks like {})", kind);
  constexpr size_t prefix = sizeof(uint64_t);
  require(text.size() >= prefix, "not a safetensors file: {} bytes are too short{}", text.size(),
          hint);
  uint64_t length = 0;
  std::memcpy(&length, text.data(), prefix);
  require(length <= max_safetensors_header,
          "not a safetensors file: it announces a header of {} bytes, allowed are {}{}", length,
          max_safetensors_header, hint);
  require(length <= text.size() - prefix,
          "it announces a header of {} bytes, but only {} bytes follow: is it cut off?{}", length,
          text.size() - prefix, hint);
  data_ = file_.bytes().subspan(prefix + length);
  header_ = parse_safetensors_header(text.substr(prefix, length), data_.size());
}

std::span<const std::byte> SafetensorsFile::data(const TensorInfo& tensor) const {
  if (tensor.offset > data_.size() || tensor.bytes > data_.size() - tensor.offset)
    fail("tensor {} is not of this file", show_text(tensor.name));
  return data_.subspan(tensor.offset, tensor.bytes);
}

}  // namespace lathe
