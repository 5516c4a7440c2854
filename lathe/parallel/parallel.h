// How a run is spread over processes. One interface; a single process takes the same path with
// communication skipped.
#pragma once

#include <memory>
#include <span>

#include "lathe/base/tensor.h"

namespace lathe {

class Parallel {
 public:
  virtual ~Parallel() = default;
  virtual int rank() const = 0;
  virtual int world() const = 0;
  /// Replaces the values by their sums over all ranks.
  virtual void sum(std::span<double> values) = 0;
  /// Replaces the gradients by their sums over all ranks, after the last backward pass of a step.
  virtual void sum_gradients(std::span<Tensor> gradients) = 0;
  /// Returns when all ranks have come here.
  virtual void barrier() = 0;
};

/// The one process there is.
std::unique_ptr<Parallel> single_process();

}  // namespace lathe
