#include "lathe/base/random.h"

#include <bit>

#include "lathe/base/error.h"
#include "lathe/base/hash.h"

namespace lathe {
namespace {

constexpr uint64_t golden_gamma = 0x9e3779b97f4a7c15;

uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

uint64_t stream_seed(uint64_t seed, std::string_view name, uint64_t index) {
  return mix(hash64(name, seed) + golden_gamma * index);
}

uint64_t Random::next() {
  return mix(seed_ + golden_gamma * ++counter_);
}

double Random::uniform() {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

uint64_t Random::below(uint64_t n) {
  require(n > 0, "drawing a number below 0");
  const uint64_t limit = n * (UINT64_MAX / n);  // the largest multiple of n that fits
  uint64_t draw = next();
  while (draw >= limit) draw = next();
  return draw % n;
}

Permutation::Permutation(uint64_t n, uint64_t seed)
    : n_(n), seed_(seed), half_bits_((std::bit_width(n > 1 ? n - 1 : 1) + 1) / 2) {}

uint64_t Permutation::operator()(uint64_t i) const {
  require(i < n_, "permuting position {} of {}", i, n_);
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  do {
    uint64_t left = i >> half_bits_;
    uint64_t right = i & mask;
    for (uint64_t round = 0; round < 4; ++round) {
      const uint64_t mixed = mix(seed_ ^ mix(right + golden_gamma * (round + 1))) & mask;
      const uint64_t next = left ^ mixed;
      left = right;
      right = next;
    }
    i = (left << half_bits_) | right;
  } while (i >= n_);
  return i;
}

}  // namespace lathe
