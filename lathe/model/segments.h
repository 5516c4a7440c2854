// Rows that hold several texts, one after the other. Letters: B rows, T positions.
#pragma once

#include "lathe/base/tensor.h"

namespace lathe {

/// For each position the first position of its segment, (B, T) int64. `segments` (B, T) on the CPU.
Tensor segment_starts(const Tensor& segments);

/// For each position the length of its text, (B, T) int64: one more than the position id at the end
/// of its segment. `segments` and `position_ids` (B, T) int64 on the CPU.
Tensor segment_lengths(const Tensor& segments, const Tensor& position_ids);

}  // namespace lathe
