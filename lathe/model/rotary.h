#pragma once

#include "lathe/base/tensor.h"
#include "lathe/model/config.h"

namespace lathe {

/// The cosines and sines that `ops::rope` takes, (B, T, R/2) each.
struct RotaryAngles {
  Tensor cos, sin;
};

/// Whether the frequencies of a long text are others than those of a short one.
bool depends_on_length(const RopeParameters& parameters);

/// The frequencies of one rotary embedding. They are computed once, in float32 and in the order of
/// transformers' operations, so that both have the same angles at any position. Some scalings have
/// other frequencies for longer texts: those follow from the length of the text a position is in.
class Rotary {
 public:
  /// `size`: elements of each head that turn, R; `max_positions`: the model's longest context.
  Rotary(const RopeParameters& parameters, int64_t size, int64_t max_positions);

  bool depends_on_length() const { return lathe::depends_on_length(parameters_); }
  /// A number that is the same for two lengths with the same frequencies.
  int64_t regime(int64_t length) const;
  /// The angles at `positions` (B, T) int64, in texts of `lengths`, int64, broadcastable to (B, T);
  /// undefined where they make no difference. Returned in `dtype`.
  RotaryAngles angles(const Tensor& positions, const Tensor& lengths, at::ScalarType dtype) const;

 private:
  struct Frequencies {
    Tensor inverse;               // (R/2) float32
    double attention_factor = 1;  // on cosines and sines
  };
  Frequencies frequencies(int64_t length) const;
  Frequencies dynamic(int64_t length) const;
  Frequencies yarn() const;
  Frequencies longrope(int64_t length) const;
  Frequencies llama3() const;
  int64_t original_positions() const;

  RopeParameters parameters_;
  int64_t size_, max_positions_;
  Frequencies shortest_;  // of texts that are not long
};

}  // namespace lathe
