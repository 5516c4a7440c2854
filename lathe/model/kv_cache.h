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
  /// Of models whose rotary frequencies depend on the length of a text, which read it again when it
  /// becomes long; undefined in others.
  Tensor tokens;                 // (B, S) int64 on the CPU
  std::vector<int64_t> regimes;  // (B) Rotary::regime of the keys of each row

  /// The number of positions that fit a row.
  int64_t slots() const { return layers.at(0).k.size(2); }
  /// Leaves only these rows, in this order; one that is named again is copied.
  void keep_rows(const std::vector<int64_t>& rows);
  /// Copies the first `positions` of every row from a cache of the same model with as many rows, or
  /// of its one row to all.
  void begin_with(const KvCache& other, int64_t positions);
};

}  // namespace lathe
