// safetensors files: 8 bytes length, a JSON header, and the bytes of the tensors.
// https://github.com/huggingface/safetensors
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lathe/base/file.h"
#include "lathe/io/safetensors_header.h"
#include "lathe/io/tensor_source.h"

namespace lathe {

/// A safetensors file, checked completely when it is opened and mapped into memory: bytes of
/// tensors are read when touched. Nobody may shorten the file meanwhile. Offsets of its tensors
/// count from the end of the header.
class SafetensorsFile final : public TensorSource {
 public:
  /// Throws Error that begins with the path if anything is not as the format demands.
  explicit SafetensorsFile(const fs::path& path);

  std::span<const TensorInfo> tensors() const override { return header_.tensors; }
  const std::map<std::string, std::string>& metadata() const override { return header_.metadata; }
  /// The bytes in the file of one of `tensors()`; aligned to the element if the writer did so, as
  /// ours and the reference implementation do.
  std::span<const std::byte> data(const TensorInfo& tensor) const;
  std::span<const std::byte> data(const TensorInfo& tensor,
                                  std::vector<std::byte>&) const override {
    return data(tensor);
  }

 private:
  MappedFile file_;
  std::span<const std::byte> data_;
  SafetensorsHeader header_;
};

/// Writes a safetensors file front to back without a copy of the tensors in memory, and syncs it.
/// Tensors are sorted by element type, largest first, then by name, as the reference
/// implementation does; so each is aligned to its elements. Throws Error if a name is there twice
/// or invalid, or if the bytes are not as many as type and shape take.
void write_safetensors(const fs::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata = {});

/// The same through a temporary file beside it and one rename: after a crash there is the old file
/// or the new one, and a mapped old one stays intact.
void write_safetensors_atomic(const fs::path& path, std::span<const TensorView> tensors,
                              const std::map<std::string, std::string>& metadata = {});

}  // namespace lathe
