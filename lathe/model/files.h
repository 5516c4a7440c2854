// Models in files: Hugging Face directories (config.json and safetensors), and GGUF files.
#pragma once

#include "lathe/base/file.h"
#include "lathe/io/tensor_source.h"
#include "lathe/model/quantize.h"

namespace lathe {

/// Where loaded weights live: in memory of their own, or in the mapped file where it holds them as
/// they are wanted. Mapped weights cost no time and no copy, and must not be written to.
enum class WeightMemory { owned, mapped };

/// A model that is not loaded yet: its configuration, how it writes, and its weights under their
/// Hugging Face names.
struct StoredModel {
  ModelConfig config;
  GenerationConfig generation;
  std::shared_ptr<const TensorSource> weights;
};

/// Opens the model at `path`: a directory, or a GGUF file.
StoredModel open_stored_model(const fs::path& path);

/// Loads the model at `path`: a directory, or a GGUF file. Weights are converted to `dtype`;
/// without one they stay as they are stored, quantised ones become float32. Matrices are quantised
/// one by one as they are read if `format` says so. Throws Error if a weight is missing, has
/// another shape, or is not part of the family.
std::unique_ptr<Model> load_model(const fs::path& path,
                                  std::optional<at::ScalarType> dtype = std::nullopt,
                                  WeightMemory memory = WeightMemory::owned,
                                  WeightFormat format = WeightFormat::plain);

/// Writes config.json, the weights, in `dtype` or else as they are, and the generation_config.json
/// that the model came with, so that transformers loads them. Every file is synced; the directory
/// must exist.
void save_model(Model& model, const fs::path& directory,
                std::optional<at::ScalarType> dtype = std::nullopt);

/// The file formats' name of a tensor's type, and back. Throw Error for types the other side lacks.
DType to_file_dtype(at::ScalarType dtype);
at::ScalarType from_file_dtype(DType dtype);

/// A tensor as a file writer takes it. The bytes are those of `tensor`, which must be contiguous,
/// on the CPU, and live until the file is written.
TensorView view_of(const std::string& name, const Tensor& tensor);

/// A view of mapped bytes as a tensor; it must not be written to, and lives as long as they do.
Tensor tensor_of(const TensorInfo& info, std::span<const std::byte> bytes);

}  // namespace lathe
