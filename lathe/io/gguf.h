// GGUF files, which llama.cpp and its relatives use: metadata and tensors, often quantised.
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lathe/base/file.h"
#include "lathe/io/gguf_header.h"

namespace lathe {

/// Whether `path` is a file that begins as GGUF files do.
bool is_gguf(const fs::path& path);

/// A GGUF file of version 2 or 3, its header checked completely when it is opened, mapped into
/// memory. Quantised tensors are listed as F32 and decoded when their data is asked for. Nobody may
/// shorten the file meanwhile.
class GgufFile final : public TensorSource {
 public:
  /// Throws Error that begins with the path if anything is not as the format demands.
  explicit GgufFile(const fs::path& path);

  std::span<const TensorInfo> tensors() const override { return header_.tensors; }
  std::span<const std::byte> data(const TensorInfo& tensor,
                                  std::vector<std::byte>& scratch) const override;
  std::string_view stored_type(const TensorInfo& tensor) const override;
  uint64_t stored_bytes(const TensorInfo& tensor) const override;
  /// The values for a person: strings as they are unless they are long, arrays by their length.
  const std::map<std::string, std::string>& metadata() const override { return shown_; }

  /// The values with their types; views last as long as the file.
  const GgufMetadata& fields() const { return header_.metadata; }
  uint32_t version() const { return header_.version; }
  /// The format of one of `tensors()` and its bytes in the file.
  const BlockFormat& format_of(const TensorInfo& tensor) const;
  std::span<const std::byte> stored(const TensorInfo& tensor) const;
  /// Says that these bytes will not be read again soon.
  void release(std::span<const std::byte> stored) const { file_.release(stored); }

 private:
  MappedFile file_;
  GgufHeader header_;
  std::map<std::string, std::string> shown_;
};

/// Metadata to be written, in the order of the calls. Throws Error if a key is invalid or given
/// twice.
class GgufFields {
 public:
  void put_uint32(std::string_view key, uint32_t value);
  void put_uint64(std::string_view key, uint64_t value);
  void put_float32(std::string_view key, float value);
  void put_bool(std::string_view key, bool value);
  void put_string(std::string_view key, std::string_view value);
  void put_int32s(std::string_view key, std::span<const int32_t> values);
  void put_float32s(std::string_view key, std::span<const float> values);
  void put_bools(std::string_view key, const std::vector<bool>& values);
  void put_strings(std::string_view key, std::span<const std::string> values);
  /// The value of another file as it is.
  void put(const GgufEntry& entry);
  /// All fields of others.
  void put(const GgufFields& others);

  bool has(std::string_view key) const;
  uint64_t count() const { return keys_.size(); }
  /// All of it as files have it.
  const std::string& bytes() const { return bytes_; }

 private:
  void begin(std::string_view key, GgufType type);
  void begin_array(std::string_view key, GgufType element, size_t count);
  void append(const auto& value);
  void append_string(std::string_view text);

  std::string bytes_;
  std::vector<std::string> keys_;  // sorted
};

/// A tensor to be written: `make` is called once, when its turn comes, and gives the bytes in the
/// format; they are used until the next `make` is called.
struct GgufTensorView {
  std::string name;
  const BlockFormat* format;
  std::vector<int64_t> shape;  ///< row-major
  std::function<std::span<const std::byte>()> make;
};

/// All that comes before the tensors' bytes, but for the padding.
std::string format_gguf_header(const GgufFields& fields, std::span<const GgufTensorView> tensors);

/// Writes a GGUF file of version 3, alignment 32, through a temporary file beside it and one
/// rename. Tensors are stored in the order given. Throws Error if a name is there twice, or if
/// bytes are not as many as format and shape take.
void write_gguf(const fs::path& path, const GgufFields& fields,
                std::span<const GgufTensorView> tensors);

}  // namespace lathe
