// Where GGUF files keep the weights of a model, and in which layout.
// https://github.com/ggml-org/llama.cpp/blob/master/gguf-py/gguf/constants.py
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lathe/base/tensor.h"
#include "lathe/model/config.h"

namespace lathe {

/// How a weight in a GGUF file differs from that of Hugging Face.
enum class GgufLayout {
  same,
  /// Rows of queries and keys: the two elements that turn together are neighbours in each head;
  /// those of Hugging Face are half a head apart.
  neighbours,
  plus_one,    ///< the norm's offset is in the weight
  transposed,  ///< (out, in) instead of (in, out)
  by_part,     ///< all queries, all keys, all values; Hugging Face has the three of each head
};

/// A weight's place in a file.
struct GgufPlace {
  std::string tensor;  ///< such as "blk.3.attn_q.weight"
  GgufLayout layout = GgufLayout::same;
  int64_t heads = 0;             ///< of layouts that go by heads
  std::optional<int64_t> slice;  ///< of a tensor that stacks all experts of a layer
};

/// The name in general.architecture for models of that `model_type`. Throws Error that lists those
/// there are if there is none.
std::string_view gguf_architecture(std::string_view model_type);

/// The `model_type`s that an architecture may stand for; none if it is not supported.
std::vector<std::string_view> gguf_model_types(std::string_view architecture);

/// The names of all architectures that are supported.
std::vector<std::string_view> gguf_architectures();

/// The place of a weight by its Hugging Face name. Throws Error if it has none.
GgufPlace gguf_place(const ModelConfig& config, const std::string& weight);

/// A weight in the layout of GGUF, and back; results may share memory with `weight`.
Tensor to_gguf_layout(const Tensor& weight, const GgufPlace& place);
Tensor from_gguf_layout(const Tensor& weight, const GgufPlace& place);

}  // namespace lathe
