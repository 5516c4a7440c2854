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
  nf4,     ///< linear layers as NF4 (ops/nf4.h), where 4 bits do the most harm as Q8_0
  stored,  ///< in the blocks that the file has
};

/// Embeddings, the output layer, and what makes queries, keys and values harm a model the most when
/// they are coarse: blocks of 8 bits change next to nothing. Where rows are no whole blocks of
/// these, embeddings and output layer stay as they are, as routers of experts do, and the others
/// are NF4.
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
  struct Fineness {
    bool wants_8_bits;  // where rows are whole blocks of these
    bool may_be_nf4;
  };
  /// The format of a weight of a kind whose rows have `columns` numbers; empty: none.
  static std::string_view format_of(Fineness fineness, int64_t columns);
  std::map<const Tensor*, Fineness> matrices_;
};

/// Throws Error if weights of the model are quantised: what is written of it must be all it was.
void require_plain_weights(Model& model);

}  // namespace lathe
