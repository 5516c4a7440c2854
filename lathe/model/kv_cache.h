#pragma once

#include "lathe/base/tensor.h"

namespace lathe {

/// Keys and values of the positions a model has seen, for generation. All room is allocated at
/// once. Letters: B rows, H key and value heads, S slots (longest context), D elements a head.
struct KvCache {
  struct Layer {
    Tensor k, v;  // (B, H, S, D)
  };
  std::vector<Layer> layers;
  std::vector<int64_t> lengths;  // (B) positions filled of each row

  /// The number of positions that fit a row.
  int64_t slots() const { return layers.at(0).k.size(2); }
};

}  // namespace lathe
