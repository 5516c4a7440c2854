#include "lathe/optim/optimizer.h"

#include <gtest/gtest.h>

namespace lathe {
namespace {

TEST(Averages, follow_the_weights_more_slowly_the_longer_a_run_is) {
  Tensor weight = at::tensor({1.0, -2.0}, at::kDouble).requires_grad_(true);
  Optimizer optimizer({{"w", weight}}, {.ema_decay = 0.3});
  Tensor average = weight.detach().clone();
  for (int t = 1; t <= 6; ++t) {
    weight.mutable_grad().fill_(t);
    optimizer.step(0.1, 1);
    const double kept = std::min(0.3, (1.0 + t) / (10 + t));
    average = kept * average + (1 - kept) * weight.detach();
    EXPECT_TRUE(at::allclose(optimizer.parameters()[0].average, average, 1e-14)) << t;
  }
  const Tensor last = weight.detach().clone();
  {
    const AveragesInPlace averages(optimizer);
    EXPECT_TRUE(at::allclose(weight.detach(), average, 1e-14));
  }
  EXPECT_TRUE(at::equal(weight.detach(), last));
}

TEST(Averages, are_not_there_unless_they_are_asked_for) {
  const Tensor weight = at::ones({2}).requires_grad_(true);
  Optimizer optimizer({{"w", weight}}, {});
  EXPECT_FALSE(optimizer.parameters()[0].average.defined());
  const AveragesInPlace none(optimizer);
  EXPECT_TRUE(at::equal(weight.detach(), at::ones({2})));
}

}  // namespace
}  // namespace lathe
