// Named random streams: every place that draws has a stream of its own, a pure function of
// (seed, name, counter). So what one place draws never shifts another, and a position is enough to
// resume.
#pragma once

#include <cstdint>
#include <string_view>

namespace lathe {

/// The seed of the stream `name` at `index` under the run's `seed`.
uint64_t stream_seed(uint64_t seed, std::string_view name, uint64_t index = 0);

/// A counter-based generator (SplitMix64, Steele et al. 2014): its whole state is `counter`.
class Random {
 public:
  explicit Random(uint64_t seed, uint64_t counter = 0) : seed_(seed), counter_(counter) {}
  uint64_t next();
  double uniform();            ///< in [0, 1)
  uint64_t below(uint64_t n);  ///< in [0, n), without bias
  uint64_t counter() const { return counter_; }

 private:
  uint64_t seed_;
  uint64_t counter_;
};

/// A permutation of 0..n-1 in constant memory: a Feistel network over the next power of four,
/// walked until it falls below n. `permutation(i)` is where position i goes.
class Permutation {
 public:
  Permutation(uint64_t n, uint64_t seed);
  uint64_t operator()(uint64_t i) const;
  uint64_t size() const { return n_; }

 private:
  uint64_t n_;
  uint64_t seed_;
  int half_bits_;
};

}  // namespace lathe
