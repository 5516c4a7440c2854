// The weights of a model directory as Hugging Face's libraries write it: model.safetensors, or
// model.safetensors.index.json with the shards it names.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lathe/base/file.h"
#include "lathe/io/safetensors.h"
#include "lathe/io/tensor_source.h"

namespace lathe {

/// All tensors of a model directory, checked when opened and mapped into memory.
///
/// A shard's name must be a plain file name, and no link may lead out of the directory but into the
/// `blobs` folder of the Hugging Face cache that the directory is part of. The shards must hold
/// exactly the tensors of the index; its "total_size" is not used. Weights in pickles are refused.
class ModelFiles final : public TensorSource {
 public:
  /// `stem` is the first part of the file names: "adapter_model" for adapters.
  explicit ModelFiles(const fs::path& directory, const std::string& stem = "model");

  std::span<const TensorInfo> tensors() const override { return tensors_; }
  const std::map<std::string, std::string>& metadata() const override;
  std::span<const std::byte> data(const TensorInfo& tensor) const;
  std::span<const std::byte> data(const TensorInfo& tensor,
                                  std::vector<std::byte>&) const override {
    return data(tensor);
  }
  /// The weight files, in the order of their names.
  const std::vector<fs::path>& files() const { return files_; }

 private:
  void open_shards(const fs::path& directory, const fs::path& index);
  void add(const fs::path& file);

  std::vector<fs::path> files_;
  std::vector<SafetensorsFile> shards_;
  std::vector<TensorInfo> tensors_;
  std::vector<size_t> shard_of_;  // for each of tensors_, the index in shards_
};

/// Opens weights wherever they are: a model directory, one .safetensors file, or one GGUF file.
std::unique_ptr<TensorSource> open_weights(const fs::path& path);

/// Writes tensors into `directory` (made if missing) as model.safetensors or, when they take more
/// than `max_shard_bytes`, as model-00001-of-0000N.safetensors with their index, as transformers
/// does: tensors go to shards in the order given, one of more than `max_shard_bytes` into a shard
/// of its own. Each file is durable before the index is. Returns the paths written. Throws Error if
/// the directory already holds weights of that `stem`.
std::vector<fs::path> write_model_files(
    const fs::path& directory, std::span<const TensorView> tensors,
    uint64_t max_shard_bytes = 5'000'000'000,
    const std::map<std::string, std::string>& metadata = {{"format", "pt"}},
    const std::string& stem = "model");

}  // namespace lathe
