#include "lathe/generate/sampler.h"

#include <gtest/gtest.h>

namespace lathe {
namespace {

/// How often each of the tokens is drawn in 20,000 draws, as a share.
std::vector<double> shares(const std::vector<float>& logits, const Sampling& options,
                           const std::vector<int64_t>& context = {}) {
  Random random(1);
  std::vector<double> share(logits.size());
  for (int i = 0; i < 20000; ++i) {
    std::vector<float> copy = logits;
    share[static_cast<size_t>(sample_token(copy, context, options, random))] += 1.0 / 20000;
  }
  return share;
}

const std::vector<float> logits = {std::log(0.5F), std::log(0.25F), std::log(0.15F),
                                   std::log(0.1F)};

TEST(SampleToken, temperature_0_takes_the_likeliest) {
  Sampling options;
  options.temperature = 0;
  EXPECT_NEAR(shares(logits, options)[0], 1.0, 1e-9);
}

TEST(SampleToken, draws_by_probability) {
  const std::vector<double> share = shares(logits, {});
  EXPECT_NEAR(share[0], 0.5, 0.02);
  EXPECT_NEAR(share[3], 0.1, 0.02);
}

TEST(SampleToken, temperature_sharpens) {
  Sampling options;
  options.temperature = 0.5;  // squares the probabilities
  EXPECT_NEAR(shares(logits, options)[0], 0.25 / 0.345, 0.02);
}

TEST(SampleToken, top_k_keeps_k_and_top_p_the_smallest_set_that_reaches_p) {
  Sampling k;
  k.top_k = 2;
  EXPECT_NEAR(shares(logits, k)[0], 0.5 / 0.75, 0.02);
  EXPECT_EQ(shares(logits, k)[2], 0.0);
  Sampling p;
  p.top_p = 0.7;
  EXPECT_NEAR(shares(logits, p)[0], 0.5 / 0.75, 0.02);
  EXPECT_EQ(shares(logits, p)[2], 0.0);
}

TEST(SampleToken, min_p_drops_what_is_far_below_the_likeliest) {
  Sampling options;
  options.min_p = 0.4;
  EXPECT_EQ(shares(logits, options)[2], 0.0);
  EXPECT_GT(shares(logits, options)[1], 0.2);
}

TEST(SampleToken, repetition_penalty_counts_each_token_once) {
  Sampling options;
  options.repetition_penalty = 2;  // log 0.5 becomes 2 log 0.5 = log 0.25
  EXPECT_NEAR(shares(logits, options, {0, 0, 0})[0], 0.25 / 0.75, 0.02);
}

}  // namespace
}  // namespace lathe
