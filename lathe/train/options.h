#pragma once

#include "lathe/optim/options.h"
#include "lathe/options/fields.h"
#include "lathe/train/best.h"

namespace lathe {

/// The training loop, under the names of transformers' TrainingArguments.
struct TrainOptions {
  std::string output_dir;
  int64_t max_steps = -1;
  double num_train_epochs = 3;
  int64_t gradient_accumulation_steps = 1;
  std::vector<std::string> trainable = {"all"};
  bool bf16 = true;
  bool gradient_checkpointing = false;
  bool frozen_cache = true;
  double frozen_cache_limit = 20;
  double neftune_noise_alpha = 0;
  int64_t seed = 42;
  int64_t logging_steps = 10;
  int64_t eval_steps = 500;
  bool eval_on_start = false;
  int64_t save_steps = 500;
  int64_t save_total_limit = 2;
  BestOptions best;
  OptimizerOptions optimizer;

  void fields(Fields& f);
};

}  // namespace lathe
