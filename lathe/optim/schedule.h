#pragma once

#include "lathe/optim/options.h"

namespace lathe {

/// The learning rate of step `step` (from 0) of `steps`, as transformers' get_scheduler computes
/// it.
double learning_rate(const OptimizerOptions& options, int64_t step, int64_t steps);

}  // namespace lathe
