// Where batches come from. A data set is one source, rollouts (generate, score, compute advantages)
// are another; the training loop knows only this.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "lathe/data/batch.h"

namespace lathe {

/// Yields batches without end and can be saved and restored. Callers of `state` and `restore`
/// include nlohmann/json.hpp.
class Source {
 public:
  virtual ~Source() = default;
  /// The micro-batches of this rank's next optimizer step, on the CPU.
  virtual std::vector<Batch> next(int64_t micro_batches) = 0;
  /// Where the source stands, a small JSON object; the same on all ranks.
  virtual nlohmann::json state() const = 0;
  /// Goes back (or forward) to `state`: what `next` yields from then on is bit-identical to what
  /// it yielded after the state was taken. Throws Error if the state is damaged or of other data.
  virtual void restore(const nlohmann::json& state) = 0;
  /// How many times the data was gone through: 1.5 is the middle of the second time.
  virtual double epoch() const = 0;
  /// Rows (over all ranks) that make one epoch, at least 1: an epoch takes
  /// rows_per_epoch / (rows of a batch * micro_batches * ranks) steps.
  virtual int64_t rows_per_epoch() const = 0;
};

}  // namespace lathe
