// Where files have the weights of a model. Most files have each under its own name; some leave out
// the first part of it, or keep several weights in one tensor.
#pragma once

#include "lathe/base/tensor.h"
#include "lathe/io/tensor_source.h"
#include "lathe/model/family/family.h"

namespace lathe {

struct StoredWeight {
  const TensorInfo* tensor;
  StoredPlace place;

  /// The shape of the tensor that holds a weight of this shape.
  std::vector<int64_t> shape_of(std::vector<int64_t> weight) const;
  /// The weight in the tensor, a view.
  Tensor part_of(const Tensor& whole) const;
};

/// The place of `weight` in `source`, under its own name or in one of the places of its family;
/// nothing if it is nowhere.
std::optional<StoredWeight> find_weight(const TensorSource& source, const std::string& weight,
                                        const ModelConfig& config);
/// The same; throws Error with the nearest name if it is nowhere.
StoredWeight weight_at(const TensorSource& source, const std::string& weight,
                       const ModelConfig& config);

}  // namespace lathe
