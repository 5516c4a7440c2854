#pragma once

#include <cstdint>

namespace lathe {

/// What a layer keeps of each token from its forward to its backward pass: what it reads itself is
/// part of it, what it gives belongs to those who read that.
struct Kept {
  int64_t numbers = 0;  ///< in the compute dtype
  int64_t wide = 0;     ///< in float32

  Kept operator+(const Kept& b) const { return {numbers + b.numbers, wide + b.wide}; }
  Kept operator*(int64_t n) const { return {n * numbers, n * wide}; }
};

}  // namespace lathe
