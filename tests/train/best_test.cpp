#include "lathe/train/best.h"

#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace lathe {
namespace {

Evaluation evaluation(double loss, double accuracy) {
  Evaluation e;
  e.loss = loss;
  e.metrics = {{"accuracy", accuracy}};
  return e;
}

TEST(BestOptions, know_which_metrics_are_costs) {
  Best by_loss, by_accuracy;
  BestOptions accuracy;
  accuracy.metric_for_best_model = "eval_accuracy";
  int64_t step = 0;
  for (const auto& [loss, right] : {std::pair{1.0, 0.5}, {0.5, 0.4}, {0.7, 0.9}}) {
    ++step;
    take_validation(by_loss, evaluation(loss, right), step, {});
    take_validation(by_accuracy, evaluation(loss, right), step, accuracy);
  }
  EXPECT_EQ(by_loss.step, 2);
  EXPECT_EQ(by_loss.waited, 1);
  EXPECT_EQ(by_accuracy.step, 3);
  Best by_part;
  BestOptions of_part;
  of_part.metric_for_best_model = "films_loss";
  Evaluation parts;
  for (const double loss : {2.0, 1.0, 3.0}) {
    parts.metrics = {{"films_loss", loss}};
    take_validation(by_part, parts, step++, of_part);
  }
  EXPECT_EQ(by_part.value, 1.0);
  accuracy.greater_is_better = false;
  EXPECT_FALSE(take_validation(by_accuracy, evaluation(1, 0.95), 4, accuracy));
}

TEST(BestOptions, wait_for_gains_above_the_threshold_and_keep_the_best_anyway) {
  Best best;
  BestOptions o;
  o.early_stopping_threshold = 0.1;
  o.early_stopping_patience = 2;
  EXPECT_TRUE(take_validation(best, evaluation(1, 0), 1, o));
  EXPECT_TRUE(take_validation(best, evaluation(0.95, 0), 2, o));
  EXPECT_FALSE(waited_enough(best, o));
  EXPECT_TRUE(take_validation(best, evaluation(0.9, 0), 3, o));
  EXPECT_TRUE(waited_enough(best, o));
  EXPECT_EQ(best.step, 3);
  EXPECT_TRUE(take_validation(best, evaluation(0.7, 0), 4, o));
  EXPECT_FALSE(waited_enough(best, o));
}

TEST(BestOptions, a_metric_that_is_not_measured_is_refused_before_the_first_step) {
  BestOptions o;
  o.metric_for_best_model = "eval_accuracy";
  const auto error = [&] { return message_of([&] { o.require_measured({"loss", "macro_f1"}); }); };
  EXPECT_EQ(error(), "no error");
  o.load_best_model_at_end = true;
  EXPECT_TRUE(says(error(), "expected one of loss, macro_f1, found eval_accuracy"));
  o.metric_for_best_model = "eval_macro_f1";
  EXPECT_EQ(error(), "no error");
}

TEST(BestOptions, a_value_that_is_no_number_is_never_better) {
  Best best;
  EXPECT_TRUE(take_validation(best, evaluation(1, 0), 1, {}));
  EXPECT_FALSE(take_validation(best, evaluation(std::nan(""), 0), 2, {}));
}

TEST(BestOptions, an_unknown_metric_is_an_error_with_those_there_are) {
  EXPECT_TRUE(says(message_of([] { metric_of(evaluation(1, 0), "f1"); }),
                   "expected one of loss, accuracy, found f1"));
}

}  // namespace
}  // namespace lathe
