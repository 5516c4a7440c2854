// NF4 with double quantisation (Dettmers et al. 2023, arXiv:2305.14314): each block of 64 numbers
// is its largest magnitude times one of 16 values, the quantiles of a normal distribution;
// magnitudes are 8-bit codes in turn, 256 of which share a float32 step, around their mean. 4.127
// bits a number. Blocks, codes and their order are those of bitsandbytes.
#pragma once

#include <array>

#include "lathe/ops/quantized.h"

namespace lathe::ops {

/// The 16 values, ascending (appendix E of the paper).
constexpr std::array<float, 16> nf4_values = {
    -1.0F,
    -0.6961928009986877F,
    -0.5250730514526367F,
    -0.39491748809814453F,
    -0.28444138169288635F,
    -0.18477343022823334F,
    -0.09105003625154495F,
    0.0F,
    0.07958029955625534F,
    0.16093020141124725F,
    0.24611230194568634F,
    0.33791524171829224F,
    0.44070982933044434F,
    0.5626170039176941F,
    0.7229568362236023F,
    1.0F,
};

/// The 256 values of the codes of magnitudes, ascending: seven decades below 1, the number of
/// equal parts of which doubles from decade to decade, of both signs; 0 and 1 (Dettmers 2015,
/// arXiv:1511.04561).
Tensor dynamic_values();

class Nf4Matrix final : public QuantizedMatrix {
 public:
  /// Of numbers (rows, columns), floating point on the CPU. Throws Error if one is not finite.
  static std::shared_ptr<const Nf4Matrix> encode(const Tensor& numbers);

  std::string_view format() const override { return "NF4"; }
  uint64_t bytes() const override;
  at::Device device() const override { return codes_.device(); }
  std::shared_ptr<const QuantizedMatrix> to(at::Device device) const override;
  void decode(int64_t first, const Tensor& out) const override;

  /// Two numbers a byte, the first in the upper half: ((rows * columns + 1) / 2) uint8.
  const Tensor& codes() const { return codes_; }
  /// The codes of the blocks' magnitudes: (blocks) uint8.
  const Tensor& scales() const { return scales_; }
  /// What multiplies 256 of those: (blocks / 256) float32.
  const Tensor& steps() const { return steps_; }
  /// The mean of the magnitudes.
  float offset() const { return offset_; }

 private:
  Nf4Matrix(int64_t rows, int64_t columns, Tensor codes, Tensor scales, Tensor steps, float offset);
  void decode_composed(int64_t begin, const Tensor& out) const;

  Tensor codes_, scales_, steps_, values_;
  float offset_;
};

}  // namespace lathe::ops
