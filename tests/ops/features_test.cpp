// What only some families compute: soft-caps, windows, offsets, activations; each against the same
// formula in plain libtorch.
#include "lathe/ops/activation.h"
#include "lathe/ops/attention.h"
#include "lathe/ops/cpu/kernels.h"
#include "lathe/ops/cross_entropy.h"
#include "lathe/ops/linear.h"
#include "lathe/ops/rms_norm.h"
#include "lathe/ops/rope.h"
#include "lathe/ops/swiglu.h"
#include "tests/ops/gradcheck.h"
#include "tests/support/device.h"
#include "tests/support/errors.h"

namespace lathe {
namespace {

/// float16 has no kernels: it takes the operations composed of libtorch's, as other devices do.
class Features : public testing::TestWithParam<std::pair<at::ScalarType, double>> {
 protected:
  void SetUp() override { at::manual_seed(3); }
  Tensor random(at::IntArrayRef shape) const {
    return on_test_device(at::randn(shape).to(GetParam().first).to(at::kDouble));
  }
  Tensor cast(const Tensor& x) const { return x.to(GetParam().first); }
  double tolerance() const { return GetParam().second; }
};

/// Attention over a mask (T, S) of what is seen: q (B, T, H, D), k and v (B, S, H, D), float64.
Tensor attention_by_formula(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& seen,
                            double scale, double cap) {
  Tensor scores = at::einsum("bthd,bshd->bhts", {q, k}) * scale;
  if (cap > 0) scores = at::tanh(scores / cap) * cap;
  const Tensor probabilities = at::softmax(scores.masked_fill(~seen, -INFINITY), -1);
  return at::einsum("bhts,bshd->bthd", {probabilities, v});
}

/// Which of S keys each of T queries behind `before` others sees: (T, S) bool.
Tensor window_mask(int64_t before, int64_t queries, int64_t window) {
  const Tensor key = at::arange(before + queries).unsqueeze(0);
  const Tensor query = at::arange(before, before + queries).unsqueeze(1);
  return on_test_device(at::logical_and(key <= query, key > query - window));
}

TEST_P(Features, capped_attention_in_a_window) {
  const int64_t length = 150, window = 20;  // more than one block
  const Tensor q = random({2, length, 4, 8}) * 2, k = random({2, length, 2, 8}),
               v = random({2, length, 2, 8});
  const Tensor first =
      (at::arange(length) - (window - 1)).clamp_min(0).expand({2, length}).contiguous();
  const Tensor found = ops::attention(cast(q), cast(k), cast(v), first, {0.5, 1.25});
  const Tensor expected =
      attention_by_formula(cast(q).to(at::kDouble), k.repeat_interleave(2, 2),
                           v.repeat_interleave(2, 2), window_mask(0, length, window), 0.5, 1.25);
  EXPECT_LE(relative_difference(found, expected), tolerance());
}

TEST_P(Features, capped_attention_without_a_window) {
  const Tensor q = random({2, 9, 4, 8}), k = random({2, 9, 4, 8}), v = random({2, 9, 4, 8});
  const Tensor found =
      ops::attention(cast(q), cast(k), cast(v), at::zeros({2, 9}, at::kLong), {0.5, 0.5});
  const Tensor expected = attention_by_formula(q, k, v, window_mask(0, 9, 9), 0.5, 0.5);
  EXPECT_LE(relative_difference(found, expected), tolerance());
}

TEST_P(Features, cached_attention_in_a_window_with_and_without_cap) {
  for (const double cap : {0.0, 1.0})
    for (const int64_t window : {1, 4, 100}) {
      const Tensor q = random({1, 3, 4, 8}) * 2, k = random({1, 9, 4, 8}), v = random({1, 9, 4, 8});
      const auto cache = [&](const Tensor& x) {
        return cast(at::constant_pad_nd(x.transpose(1, 2), {0, 0, 0, 5}).contiguous());
      };
      const Tensor found =
          ops::cached_attention(cast(q), cache(k), cache(v), {6}, {0.5, cap}, window);
      const Tensor expected =
          attention_by_formula(cast(q).to(at::kDouble), k, v, window_mask(6, 3, window), 0.5, cap);
      EXPECT_LE(relative_difference(found, expected), tolerance()) << cap << " " << window;
    }
}

TEST_P(Features, cross_entropy_of_capped_logits_with_its_gradients) {
  const Tensor x = random({40, 16}), weight = random({50, 16});
  const Tensor targets = on_test_device(at::randint(50, {40}, at::kLong));
  const Tensor x1 = cast(x).clone().requires_grad_(), w1 = cast(weight).clone().requires_grad_();
  const Tensor x2 = x.clone().requires_grad_(), w2 = weight.clone().requires_grad_();
  const Tensor found = ops::linear_cross_entropy(x1, w1, targets, 2.5);
  const Tensor logits = at::tanh(at::linear(x2, w2) / 2.5) * 2.5;
  const Tensor expected = -at::log_softmax(logits, 1).gather(1, targets.unsqueeze(1)).sum();
  EXPECT_LE(relative_difference(found, expected), tolerance());
  found.backward();
  expected.backward();
  EXPECT_LE(relative_difference(x1.grad(), x2.grad()), 2 * tolerance());
  EXPECT_LE(relative_difference(w1.grad(), w2.grad()), 2 * tolerance());
}

TEST_P(Features, gated_activations_into_a_product_with_their_gradients) {
  const Tensor gate = random({2, 5, 12}), up = random({2, 5, 12}), weight = random({7, 12});
  std::vector<Tensor> ours, theirs;
  for (const Tensor& x : {gate, up, weight}) {
    ours.push_back(cast(x).clone().requires_grad_());
    theirs.push_back(x.clone().requires_grad_());
  }
  const Tensor found = ops::linear(ops::swiglu(ours[0], ours[1]), ours[2]);
  const Tensor expected = at::linear(at::silu(theirs[0]) * theirs[1], theirs[2]);
  EXPECT_LE(relative_difference(found, expected), tolerance());
  found.sum().backward();
  expected.sum().backward();
  for (size_t i = 0; i < ours.size(); ++i)
    EXPECT_LE(relative_difference(ours[i].grad(), theirs[i].grad()), 2 * tolerance()) << i;
}

TEST_P(Features, norm_with_an_offset) {
  const Tensor x = random({5, 12}), weight = random({12}) * 0.1;
  const Tensor expected =
      x * at::rsqrt(x.square().mean(-1, true) + 1e-5) * (cast(weight).to(at::kDouble) + 1);
  EXPECT_LE(relative_difference(ops::rms_norm(cast(x), cast(weight), 1e-5, 1), expected),
            tolerance());
}

TEST_P(Features, rope_of_a_part_leaves_the_rest) {
  const Tensor x = random({2, 5, 3, 10}), angle = on_test_device(at::randn({2, 5, 3}, at::kDouble));
  const Tensor c = angle.cos().unsqueeze(2), s = angle.sin().unsqueeze(2);
  const Tensor a = x.narrow(3, 0, 3), b = x.narrow(3, 3, 3);
  const Tensor expected = at::cat({a * c - b * s, b * c + a * s, x.narrow(3, 6, 4)}, 3);
  EXPECT_LE(relative_difference(ops::rope(cast(x), angle.cos(), angle.sin()), expected),
            tolerance());
}

INSTANTIATE_TEST_SUITE_P(Dtypes, Features,
                         testing::Values(std::pair{at::kDouble, 1e-12}, std::pair{at::kFloat, 1e-5},
                                         std::pair{at::kBFloat16, 3e-2},
                                         std::pair{at::kHalf, 1e-2}),
                         [](const auto& info) { return at::toString(info.param.first); });

TEST(SoftCap, in_float32_is_precise_at_any_size) {
  // One score and a zero, whose probabilities say what the cap made of it.
  for (const float x : {1e-6F, 1e-3F, 0.1F, 0.62F, 0.63F, 1.F, 5.F, 9.F, 40.F, 1e4F})
    for (const float sign : {1.F, -1.F}) {
      float scores[2] = {sign * x, 0};
      const double cap = 2;
      const float log_sum =
          ops::cpu::kernels().f32.softmax(scores, 2, 0, 2, 1, static_cast<float>(cap));
      const double capped = cap * std::tanh(static_cast<double>(sign * x) / cap);
      EXPECT_NEAR(log_sum, std::log(std::exp(capped) + 1), 3e-7) << sign * x;
      EXPECT_NEAR(std::log(scores[0]) - std::log(scores[1]), capped, 6e-7 + 1e-6 * std::abs(capped))
          << sign * x;
    }
}

TEST(Activations, have_the_names_of_hugging_face) {
  const Tensor x = at::linspace(-3, 3, 41, at::kDouble);
  const auto of = [&](const char* name) { return ops::activate(x, ops::activation_named(name)); };
  const Tensor inner = std::sqrt(2 / M_PI) * (x + 0.044715 * x.pow(3));
  EXPECT_LE(relative_difference(of("gelu_new"), 0.5 * x * (1 + inner.tanh())), 1e-12);
  EXPECT_LE(relative_difference(of("gelu"), 0.5 * x * (1 + at::erf(x / std::sqrt(2.0)))), 1e-12);
  EXPECT_LE(relative_difference(of("swish"), x * at::sigmoid(x)), 1e-12);
  EXPECT_LE(relative_difference(of("quick_gelu"), x * at::sigmoid(1.702 * x)), 1e-12);
  EXPECT_LE(relative_difference(of("relu2"), x.clamp_min(0).square()), 1e-12);
  EXPECT_LE(relative_difference(of("relu"), x.clamp_min(0)), 1e-12);
  EXPECT_TRUE(says(message_of([&] { of("sine"); }), "no activation is called \"sine\"; there are"));
}

}  // namespace
}  // namespace lathe
