// Every backward pass of our own against finite differences.
#include "lathe/ops/attention.h"
#include "lathe/ops/cross_entropy.h"
#include "lathe/ops/embedding.h"
#include "lathe/ops/linear.h"
#include "lathe/ops/rms_norm.h"
#include "lathe/ops/rope.h"
#include "lathe/ops/swiglu.h"
#include "tests/ops/gradcheck.h"

namespace lathe {
namespace {

class Gradient : public testing::Test {
 protected:
  void SetUp() override { at::manual_seed(0); }
};

TEST_F(Gradient, linear) {
  gradcheck([](const auto& in) { return ops::linear(in[0], in[1], in[2]); },
            {at::randn({2, 3, 4}), at::randn({5, 4}), at::randn({5})});
}

TEST_F(Gradient, embedding) {
  const Tensor ids = on_test_device(at::tensor({3, 0, 3, 1}, at::kLong).view({2, 2}));
  gradcheck([&](const auto& in) { return ops::embedding(ids, in[0], at::kDouble); },
            {at::randn({5, 3})});
}

TEST_F(Gradient, rms_norm) {
  gradcheck([](const auto& in) { return ops::rms_norm(in[0], in[1], 1e-5); },
            {at::randn({3, 2, 7}), at::randn({7})});
}

TEST_F(Gradient, rms_norm_with_an_offset) {
  gradcheck([](const auto& in) { return ops::rms_norm(in[0], in[1], 1e-5, 1); },
            {at::randn({3, 2, 7}), at::randn({7})});
}

TEST_F(Gradient, rope_of_a_part_of_each_head) {
  const Tensor angle = on_test_device(at::randn({2, 3, 2}, at::kDouble));
  gradcheck([&](const auto& in) { return ops::rope(in[0], angle.cos(), angle.sin()); },
            {at::randn({2, 3, 2, 7})});
}

TEST_F(Gradient, rope) {
  const Tensor angle = on_test_device(at::randn({2, 3, 2}, at::kDouble));
  gradcheck([&](const auto& in) { return ops::rope(in[0], angle.cos(), angle.sin()); },
            {at::randn({2, 3, 2, 4})});
}

TEST_F(Gradient, swiglu) {
  gradcheck([](const auto& in) { return ops::swiglu(in[0], in[1]); },
            {at::randn({3, 11}) * 3, at::randn({3, 11})});
}

TEST_F(Gradient, linear_of_what_is_made_again) {
  gradcheck([](const auto& in) { return ops::linear(ops::swiglu(in[0], in[1]), in[2], in[3]); },
            {at::randn({2, 3, 5}), at::randn({2, 3, 5}), at::randn({4, 5}), at::randn({4})});
}

TEST_F(Gradient, linear_cross_entropy) {
  const Tensor targets = on_test_device(at::tensor({1, 0, 6}, at::kLong));
  gradcheck([&](const auto& in) { return ops::linear_cross_entropy(in[0], in[1], targets); },
            {at::randn({3, 4}), at::randn({7, 4})});
}

TEST_F(Gradient, linear_cross_entropy_of_capped_logits) {
  const Tensor targets = on_test_device(at::tensor({1, 0, 6}, at::kLong));
  gradcheck([&](const auto& in) { return ops::linear_cross_entropy(in[0], in[1], targets, 1.5); },
            {at::randn({3, 4}) * 2, at::randn({7, 4})});
}

TEST_F(Gradient, attention_with_capped_scores) {
  const Tensor first = at::tensor({0, 0, 0, 3, 3, 0, 1, 1, 1, 1}, at::kLong).view({2, 5});
  gradcheck(
      [&](const auto& in) {
        return ops::attention(in[0], in[1], in[2], first, {0.7, 0.9});
      },
      {at::randn({2, 5, 4, 3}), at::randn({2, 5, 2, 3}), at::randn({2, 5, 2, 3})});
}

TEST_F(Gradient, attention_with_shared_heads_and_segments) {
  const Tensor first = at::tensor({0, 0, 0, 3, 3, 0, 1, 1, 1, 1}, at::kLong).view({2, 5});
  gradcheck([&](const auto& in) { return ops::attention(in[0], in[1], in[2], first, {0.5}); },
            {at::randn({2, 5, 4, 3}), at::randn({2, 5, 2, 3}), at::randn({2, 5, 2, 3})});
}

}  // namespace
}  // namespace lathe
