// Which weights of a frozen model are quantised in memory, and to what.
#pragma once

#include <map>

#include "lathe/io/tensor_source.h"
#include "lathe/model/model.h"

namespace lathe {

/// How the matrices of a model are kept in memory. Quantised ones cannot be trained, merged into or
/// written; adapters work beside them.
enum class WeightFormat {
  plain,   ///< as tensors
  nf4,     ///< linear layers as NF4 (ops/nf4.h), embeddings and output layer as Q8_0
  stored,  ///< in the blocks that the file has
};

/// Embeddings and the output layer are a large part of a small model, and coarse ones harm it the
/// most: blocks of 8 bits halve them and change next to nothing. Routers of experts stay as they
/// are, and rows that are no whole blocks.
class WeightQuantizer {
 public:
  WeightQuantizer(Model& model, WeightFormat format);

  /// What the weight becomes, with the numbers `stored` (CPU) and the dtype that it is said to
  /// have; undefined if it is not to be quantised.
  Tensor from_numbers(const Tensor* weight, const Tensor& stored, at::ScalarType dtype) const;
  /// The same with the blocks that the source has of it.
  Tensor from_blocks(const Tensor* weight, const TensorSource& source, const TensorInfo& info,
                     at::ScalarType dtype) const;
  /// What nf4 makes of a number of the weight, in bits; nothing if it is not to be quantised.
  std::optional<double> bits(const Tensor& weight) const;

 private:
  WeightFormat format_;
  std::map<const Tensor*, bool> matrices_;  // whether 8 bits
};

/// Throws Error if weights of the model are quantised: what is written of it must be all it was.
void require_plain_weights(Model& model);

}  // namespace lathe
