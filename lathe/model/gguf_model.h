// Models in GGUF files.
#pragma once

#include <string>
#include <vector>

#include "lathe/io/gguf.h"
#include "lathe/model/gguf_names.h"
#include "lathe/model/model.h"

namespace lathe {

/// A matrix in the quantised blocks of a file.
struct GgufBlocks {
  const BlockFormat* format;
  Tensor rows;      ///< (rows, bytes of a row) uint8, a copy
  bool transposed;  ///< whether the rows are the columns of the weight
};

/// A GGUF file as a model: its configuration, and its tensors under the names and in the layout of
/// Hugging Face. Where a file says nothing of a number that Hugging Face keeps, such as the
/// deviation of initial weights, that is the default.
class GgufModel final : public TensorSource {
 public:
  /// Throws Error that begins with the path for a model that is not supported, and if a tensor is
  /// missing, has another shape, or is not part of the model.
  explicit GgufModel(const fs::path& path);

  const ModelConfig& config() const { return config_; }
  const GgufFile& file() const { return file_; }
  std::span<const TensorInfo> tensors() const override { return tensors_; }
  std::span<const std::byte> data(const TensorInfo& tensor,
                                  std::vector<std::byte>& scratch) const override;
  /// The blocks of one of `tensors()`, its rows in the order of Hugging Face; nothing if the file
  /// has plain numbers of it.
  std::optional<GgufBlocks> blocks(const TensorInfo& tensor) const;
  std::string_view stored_type(const TensorInfo& tensor) const override;
  uint64_t stored_bytes(const TensorInfo& tensor) const override;
  const std::map<std::string, std::string>& metadata() const override { return file_.metadata(); }

 private:
  const GgufPlace& place_of(const TensorInfo& tensor) const;
  /// Its part of the file.
  std::span<const std::byte> stored(const TensorInfo& tensor) const;

  GgufFile file_;
  ModelConfig config_;
  std::vector<TensorInfo> tensors_;
  std::vector<GgufPlace> places_;  // of each of tensors_
};

/// How a model is written as GGUF.
struct GgufOptions {
  /// Format of the matrices; empty: F32, F16 or BF16, as the model has them. Rows that do not
  /// divide into its blocks, norms and the like get another format, as llama.cpp has it.
  std::string quant;
  std::string name;  ///< for general.name; empty: none
};

/// The names that GgufOptions::quant may have.
std::vector<std::string> gguf_quants();

/// Writes a model, and the keys of its tokenizer (see write_gguf_tokenizer), in one step. Throws
/// Error for models that GGUF cannot say.
void save_gguf(Model& model, const fs::path& path, const GgufOptions& options,
               const GgufFields& tokenizer);

}  // namespace lathe
