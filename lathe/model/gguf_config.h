// The configuration of a model in the metadata of a GGUF file: keys such as llama.block_count.
#pragma once

#include <string>
#include <vector>

#include "lathe/io/gguf.h"
#include "lathe/model/config.h"

namespace lathe {

/// What the configuration of a GGUF file follows from: its metadata, and which tensors it has.
class GgufContents {
 public:
  virtual ~GgufContents() = default;
  virtual const GgufMetadata& metadata() const = 0;
  virtual bool has(std::string_view tensor) const = 0;
  /// Row-major. Throws Error if there is no such tensor.
  virtual std::vector<int64_t> shape(std::string_view tensor) const = 0;
  virtual std::vector<float> numbers(std::string_view tensor) const = 0;
};

/// Factors on rotary frequencies, which GGUF keeps as tensors of one dimension.
struct GgufFactors {
  std::string tensor;
  std::vector<float> values;
};

/// The configuration of a model. Throws Error for an architecture that is not supported.
ModelConfig read_gguf_config(const GgufContents& contents);

/// Adds the keys of a model, with general.architecture. Returns the tensors to be added.
std::vector<GgufFactors> write_gguf_config(const ModelConfig& config, GgufFields& fields);

/// Throws Error that names the keys in which `found`, read from what was written of `config`,
/// differs in what it computes: a model that GGUF cannot say.
void require_said(const ModelConfig& config, const ModelConfig& found);

}  // namespace lathe
