#include "lathe/optim/schedule.h"

#include <gtest/gtest.h>

#include <map>

namespace lathe {
namespace {

OptimizerOptions options(const std::string& type, int64_t warmup = 0) {
  OptimizerOptions o;
  o.learning_rate = 1;
  o.lr_scheduler_type = type;
  o.warmup_steps = warmup;
  return o;
}

// transformers 5.23.0: get_scheduler(type, optimizer, num_warmup_steps=4, num_training_steps=20)
// with a learning rate of 1, at the steps 0, 2, 4, 12, 19.
TEST(Schedule, is_that_of_transformers) {
  const std::vector<int64_t> steps = {0, 2, 4, 12, 19};
  const std::map<std::string, std::vector<double>> expected = {
      {"linear", {0, 0.5, 1, 0.5, 0.0625}},
      {"cosine", {0, 0.5, 1, 0.5, 0.009607359798384785}},
      {"constant_with_warmup", {0, 0.5, 1, 1, 1}},
      {"constant", {1, 1, 1, 1, 1}}};
  for (const auto& [type, rates] : expected)
    for (size_t i = 0; i < steps.size(); ++i)
      EXPECT_NEAR(learning_rate(options(type, 4), steps[i], 20), rates[i], 1e-12)
          << type << " at step " << steps[i];
}

TEST(Schedule, warmup_stable_decay_stays_up_and_falls_at_the_end) {
  OptimizerOptions o = options("warmup_stable_decay", 10);
  o.decay_ratio = 0.2;
  o.min_lr_rate = 0.1;
  EXPECT_DOUBLE_EQ(learning_rate(o, 5, 100), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate(o, 10, 100), 1);
  EXPECT_DOUBLE_EQ(learning_rate(o, 80, 100), 1);
  EXPECT_NEAR(learning_rate(o, 90, 100), 0.55, 1e-12);
  EXPECT_NEAR(learning_rate(o, 100, 100), 0.1, 1e-12);
}

TEST(Schedule, every_fall_ends_at_min_lr_rate) {
  for (const char* type : {"linear", "cosine", "cosine_with_min_lr", "warmup_stable_decay"}) {
    OptimizerOptions o = options(type);
    o.min_lr_rate = 0.5;
    EXPECT_NEAR(learning_rate(o, 10, 10), 0.5, 1e-12) << type;
    EXPECT_NEAR(learning_rate(o, 20, 10), 0.5, 1e-12) << type;
  }
  OptimizerOptions o = options("linear");
  o.min_lr_rate = 0.5;
  EXPECT_NEAR(learning_rate(o, 5, 10), 0.75, 1e-12);
}

TEST(Schedule, warmup_ratio_is_a_share_of_all_steps) {
  OptimizerOptions o = options("constant_with_warmup");
  o.warmup_ratio = 0.1;
  EXPECT_DOUBLE_EQ(learning_rate(o, 5, 100), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate(o, 10, 100), 1);
}

}  // namespace
}  // namespace lathe
