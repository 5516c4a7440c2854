#include "lathe/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lathe {
namespace {

/// From 1 to `lowest` along half a cosine, while `progress` goes from 0 to 1.
double cosine(double progress, double lowest) {
  return lowest + (1 - lowest) * 0.5 * (1 + std::cos(std::numbers::pi * std::min(progress, 1.0)));
}

}  // namespace

double learning_rate(const OptimizerOptions& o, int64_t step, int64_t steps) {
  const int64_t warmup =
      o.warmup_steps > 0
          ? o.warmup_steps
          : static_cast<int64_t>(std::ceil(o.warmup_ratio * static_cast<double>(steps)));
  if (step < warmup && o.lr_scheduler_type != "constant")
    return o.learning_rate * static_cast<double>(step) / static_cast<double>(warmup);
  const double left = static_cast<double>(std::max<int64_t>(steps - warmup, 1));
  const double progress = static_cast<double>(step - warmup) / left;
  double rate = 1;
  if (o.lr_scheduler_type == "linear")
    rate = std::max(o.min_lr_rate, 1 - (1 - o.min_lr_rate) * progress);
  if (o.lr_scheduler_type == "cosine" || o.lr_scheduler_type == "cosine_with_min_lr")
    rate = cosine(progress, o.min_lr_rate);
  if (o.lr_scheduler_type == "warmup_stable_decay") {
    const double decay = std::max(1.0, std::round(o.decay_ratio * static_cast<double>(steps)));
    const double into = static_cast<double>(step) - (static_cast<double>(steps) - decay);
    rate = cosine(std::max(0.0, into / decay), o.min_lr_rate);
  }
  return o.learning_rate * rate;
}

}  // namespace lathe
