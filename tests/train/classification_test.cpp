#include "lathe/train/classification.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lathe/objective/classify.h"

namespace lathe {
namespace {

const LabelSet three{ProblemType::single_label_classification, {"a", "b", "c"}};

Tensor rows(std::vector<double> values, int64_t width) {
  return at::tensor(values, at::kDouble).view({-1, width});
}

std::map<std::string, double> metrics(const ClassificationScores& scores) {
  const auto list = scores.metrics();
  return {list.begin(), list.end()};
}

/// Four texts of the classes a, a, b, c; the third is taken for an a.
ClassificationScores four_texts() {
  ClassificationScores scores(three);
  scores.add(rows({2, 0, 0, 3, 0, 0}, 3), rows({1, 0, 0, 1, 0, 0}, 3));
  scores.add(rows({4, 0, 0, 0, 0, 1}, 3), rows({0, 1, 0, 0, 0, 1}, 3));
  return scores;
}

TEST(ClassificationScores, count_what_was_right) {
  const ClassificationScores scores = four_texts();
  EXPECT_EQ(scores.texts(), 4);
  EXPECT_DOUBLE_EQ(metrics(scores).at("accuracy"), 0.75);
  // a: 2 of 2 found among 3; b: none; c: all.
  EXPECT_NEAR(metrics(scores).at("macro_f1"), (0.8 + 0 + 1) / 3, 1e-12);
  const std::vector<std::vector<int64_t>> expected = {{2, 0, 0}, {1, 0, 0}, {0, 0, 1}};
  EXPECT_EQ(scores.confusion(), expected);
  ASSERT_EQ(scores.mistakes(5).size(), 1U);
  const Mistake mistake = scores.mistakes(5)[0];
  EXPECT_EQ(mistake.text, 2);
  EXPECT_EQ(mistake.predicted, 0);
  EXPECT_EQ(mistake.actual, 1);
  EXPECT_NEAR(mistake.probability, std::exp(4) / (std::exp(4) + 2), 1e-12);
}

TEST(ClassificationScores, leave_classes_out_of_the_mean_that_never_occur) {
  ClassificationScores scores(three);
  scores.add(rows({1, 0, 0}, 3), rows({1, 0, 0}, 3));
  EXPECT_DOUBLE_EQ(metrics(scores).at("macro_f1"), 1);
}

TEST(ClassificationScores, know_how_far_the_model_is_too_sure) {
  // Two texts, 90 % sure of each, one right: |0.9 - 0.5|.
  const double x = std::log(9.0);
  ClassificationScores scores({ProblemType::single_label_classification, {"a", "b"}});
  scores.add(rows({x, 0, x, 0}, 2), rows({1, 0, 0, 1}, 2));
  EXPECT_NEAR(metrics(scores).at("calibration_error"), 0.4, 1e-12);
}

TEST(ClassificationScores, of_several_labels_are_right_if_all_are) {
  ClassificationScores scores({ProblemType::multi_label_classification, {"a", "b"}});
  scores.add(rows({1, -1, 1, 1}, 2), rows({1, 0, 0, 1}, 2));
  EXPECT_DOUBLE_EQ(metrics(scores).at("accuracy"), 0.5);
  EXPECT_NEAR(metrics(scores).at("macro_f1"), (2.0 / 3 + 1) / 2, 1e-12);
}

TEST(ClassificationScores, of_numbers_are_errors_and_correlation) {
  ClassificationScores scores({ProblemType::regression, {"LABEL_0"}});
  scores.add(rows({1, 2, 3}, 1), rows({2, 4, 6}, 1));
  EXPECT_NEAR(metrics(scores).at("mse"), (1 + 4 + 9) / 3.0, 1e-12);
  EXPECT_NEAR(metrics(scores).at("mae"), 2, 1e-12);
  EXPECT_NEAR(metrics(scores).at("pearson"), 1, 1e-12);
}

TEST(ClassificationScores, are_shown_with_the_names_of_the_classes) {
  const ClassificationScores scores = four_texts();
  EXPECT_EQ(to_json(scores).at("confusion")[1][0], 1);
  EXPECT_NE(to_text(scores).find("4 texts, accuracy 0.7500"), std::string::npos);
}

TEST(ClassificationLosses, are_those_of_transformers) {
  at::manual_seed(1);
  const Tensor logits = at::randn({5, 3}), classes = at::tensor({0, 2, 1, 1, 0}, at::kLong);
  const Tensor one_hot = at::one_hot(classes, 3).to(at::kFloat);
  using enum ProblemType;
  const auto mean = [&](ProblemType type, const Tensor& x, const Tensor& y) {
    return classification_losses(type, x, y).mean().item<double>();
  };
  EXPECT_NEAR(mean(single_label_classification, logits, one_hot),
              at::cross_entropy_loss(logits, classes).item<double>(), 1e-6);
  EXPECT_NEAR(mean(multi_label_classification, logits, one_hot),
              at::binary_cross_entropy_with_logits(logits, one_hot).item<double>(), 1e-6);
  EXPECT_NEAR(mean(regression, logits.narrow(1, 0, 1), one_hot.narrow(1, 0, 1)),
              at::mse_loss(logits.select(1, 0), one_hot.select(1, 0)).item<double>(), 1e-6);
}

}  // namespace
}  // namespace lathe
