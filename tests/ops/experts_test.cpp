#include "lathe/ops/experts.h"

#include "tests/ops/gradcheck.h"

namespace lathe {
namespace {

Tensor choice(const std::vector<int64_t>& experts, int64_t each) {
  return at::tensor(experts, at::kLong).view({-1, each});
}

/// What from_experts(to_experts(x)) computes if expert e multiplies by e + 1: a loop over choices.
Tensor one_by_one(const Tensor& x, const Tensor& weights, const Tensor& chosen) {
  Tensor sum = at::zeros_like(x);
  for (int64_t n = 0; n < chosen.size(0); ++n)
    for (int64_t k = 0; k < chosen.size(1); ++k)
      sum[n] += x[n] * weights[n][k] * static_cast<double>(chosen[n][k].item<int64_t>() + 1);
  return sum;
}

Tensor by_expert(const Tensor& x, const Tensor& weights, const Tensor& chosen, int64_t experts) {
  const ops::ExpertOrder order = ops::expert_order(chosen, experts);
  std::vector<Tensor> results = ops::to_experts(x, order).split_with_sizes(order.counts);
  for (size_t e = 0; e < results.size(); ++e) results[e] = results[e] * static_cast<double>(e + 1);
  return ops::from_experts(at::cat(results), weights, order);
}

TEST(Experts, order_groups_choices_by_expert_and_keeps_rows_in_order) {
  const ops::ExpertOrder order = ops::expert_order(choice({3, 0, 0, 1, 3, 1}, 2), 5);
  EXPECT_EQ(order.counts, std::vector<int64_t>({2, 2, 0, 2, 0}));
  EXPECT_TRUE(at::equal(order.choices, at::tensor({1, 2, 3, 5, 0, 4}, at::kLong)));
  EXPECT_TRUE(at::equal(order.choices.index_select(0, order.places), at::arange(6, at::kLong)));
}

TEST(Experts, every_row_gets_the_weighted_sum_of_its_experts) {
  at::manual_seed(5);
  const Tensor x = at::randn({50, 6}, at::kDouble), weights = at::rand({50, 3}, at::kDouble);
  const Tensor chosen =
      at::rand({50, 8}).argsort(int64_t{1}, false).narrow(1, 0, 3);  // different ones in each row
  EXPECT_LE(relative_difference(by_expert(x, weights, chosen, 8), one_by_one(x, weights, chosen)),
            1e-14);
}

TEST(Experts, the_sum_is_taken_in_the_dtype_of_the_weights) {
  at::manual_seed(6);
  const Tensor x = at::randn({20, 6}).to(at::kBFloat16), weights = at::rand({20, 2});
  const Tensor chosen = choice(std::vector<int64_t>(40, 0), 2);
  const Tensor found = by_expert(x, weights, chosen, 1);
  EXPECT_EQ(found.scalar_type(), at::kBFloat16);
  const Tensor exact = x.to(at::kFloat) * weights.sum(1, true);
  EXPECT_LE(relative_difference(found, exact.to(at::kBFloat16)), 1e-2);
}

TEST(Experts, have_the_gradient_of_finite_differences) {
  at::manual_seed(7);
  const Tensor chosen = on_test_device(choice({2, 0, 0, 1, 2, 1, 0, 2}, 2));
  gradcheck([&](const auto& in) { return by_expert(in[0], in[1], chosen, 4); },
            {at::randn({4, 3}), at::rand({4, 2})});
}

}  // namespace
}  // namespace lathe
