#pragma once

#include "lathe/options/fields.h"

namespace lathe {

/// AdamW, its schedule and clipping, under the names of transformers' TrainingArguments.
struct OptimizerOptions {
  double learning_rate = 5e-5;
  double weight_decay = 0;
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.999;
  double adam_epsilon = 1e-8;
  double ema_decay = 0;
  double max_grad_norm = 1;
  std::string lr_scheduler_type = "linear";
  int64_t warmup_steps = 0;
  double warmup_ratio = 0;
  double min_lr_rate = 0;
  double decay_ratio = 0.2;

  void fields(Fields& f);
};

}  // namespace lathe
