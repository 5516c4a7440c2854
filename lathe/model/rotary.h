#pragma once

#include "lathe/base/tensor.h"
#include "lathe/model/config.h"

namespace lathe {

/// The cosines and sines that `ops::rope` takes, (B, T, D/2) each.
struct RotaryAngles {
  Tensor cos, sin;
};

/// Angles for `position_ids` (B, T) int64, scaled as the configuration says. In float32, in the
/// order of transformers' operations, so that both have the same angles at any position; `dtype` is
/// what they are returned in.
RotaryAngles rotary_angles(const ModelConfig& config, const Tensor& position_ids,
                           at::ScalarType dtype);

}  // namespace lathe
