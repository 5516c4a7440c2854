// Every operation against the same formula in plain libtorch, in every dtype with its own
// tolerance.
#include "lathe/ops/adamw.h"
#include "lathe/ops/attention.h"
#include "lathe/ops/cross_entropy.h"
#include "lathe/ops/linear.h"
#include "lathe/ops/rms_norm.h"
#include "lathe/ops/rope.h"
#include "lathe/ops/swiglu.h"
#include "tests/ops/gradcheck.h"
#include "tests/support/device.h"

namespace lathe {
namespace {

struct Precision {
  at::ScalarType dtype;
  double tolerance;  // largest difference over largest value
};

class Reference : public testing::TestWithParam<Precision> {
 protected:
  void SetUp() override { at::manual_seed(1); }

  /// Runs both on copies of the inputs, the reference in float64, and compares results and
  /// gradients.
  void compare(const std::function<Tensor(const std::vector<Tensor>&)>& ours,
               const std::function<Tensor(const std::vector<Tensor>&)>& reference,
               const std::vector<Tensor>& inputs) {
    std::vector<Tensor> a, b;
    for (const Tensor& input : inputs) {
      a.push_back(on_test_device(input.to(GetParam().dtype)).detach().requires_grad_());
      b.push_back(a.back().detach().to(at::kDouble).requires_grad_());
    }
    const Tensor found = ours(a);
    const Tensor expected = reference(b);
    EXPECT_LE(relative_difference(found, expected), GetParam().tolerance);
    const Tensor direction = on_test_device(at::randn(expected.sizes(), at::kDouble));
    found.backward(direction.to(found.scalar_type()));
    expected.backward(direction);
    for (size_t i = 0; i < a.size(); ++i)
      EXPECT_LE(relative_difference(a[i].grad(), b[i].grad()), 2 * GetParam().tolerance)
          << "gradient of input " << i;
  }
};

TEST_P(Reference, rms_norm) {
  compare([](const auto& in) { return ops::rms_norm(in[0], in[1], 1e-5); },
          [](const auto& in) {
            return in[0] * at::rsqrt(in[0].square().mean(-1, true) + 1e-5) * in[1];
          },
          {at::randn({40, 100}), at::rand({100}) + 0.5});
}

TEST_P(Reference, swiglu) {
  compare([](const auto& in) { return ops::swiglu(in[0], in[1]); },
          [](const auto& in) { return at::silu(in[0]) * in[1]; },
          {at::randn({50, 333}) * 4, at::randn({50, 333})});
}

TEST_P(Reference, swiglu_of_extreme_gates) {
  const Tensor gate =
      on_test_device(at::tensor({-1e4, -200.0, -88.0, 0.0, 88.0, 200.0, 1e4}).to(GetParam().dtype));
  const Tensor expected = at::silu(gate.to(at::kDouble));
  const Tensor found = ops::swiglu(gate, at::ones_like(gate)).to(at::kDouble);
  EXPECT_TRUE(at::allclose(found, expected, 1e-2, 1e-30)) << found << expected;
}

TEST_P(Reference, rope_is_a_rotation_of_half_split_pairs) {
  const Tensor angle = on_test_device(at::randn({2, 5, 4}, at::kDouble) * 3);
  compare([&](const auto& in) { return ops::rope(in[0], angle.cos(), angle.sin()); },
          [&](const auto& in) {
            const Tensor pair = at::complex(in[0].narrow(3, 0, 4), in[0].narrow(3, 4, 4));
            const Tensor turn = at::complex(angle.cos(), angle.sin()).unsqueeze(2);
            const Tensor turned = at::view_as_real(pair * turn);
            return at::cat({turned.select(-1, 0), turned.select(-1, 1)}, -1);
          },
          {at::randn({2, 5, 3, 8})});
}

TEST_P(Reference, linear_cross_entropy) {
  const Tensor targets = on_test_device(at::randint(300, {70}, at::kLong));
  compare(
      [&](const auto& in) { return ops::linear_cross_entropy(in[0], in[1], targets); },
      [&](const auto& in) {
        return -at::log_softmax(at::linear(in[0], in[1]), 1).gather(1, targets.unsqueeze(1)).sum();
      },
      {at::randn({70, 32}), at::randn({300, 32}) * 0.3});
}

TEST_P(Reference, attention_over_many_blocks_and_segments) {
  const int64_t length = 300;  // not a multiple of the block
  Tensor first = at::zeros({2, length}, at::kLong);
  first[1].narrow(0, 140, 160).fill_(140);
  first[1].narrow(0, 290, 10).fill_(290);
  const Tensor key = at::arange(length, at::kLong);
  const Tensor mask =
      on_test_device(at::logical_and(key.view({1, 1, 1, -1}) <= key.view({1, 1, -1, 1}),
                                     key.view({1, 1, 1, -1}) >= first.view({2, 1, length, 1})));
  compare(
      [&](const auto& in) { return ops::attention(in[0], in[1], in[2], first, {0.3}); },
      [&](const auto& in) {
        return at::scaled_dot_product_attention(in[0].transpose(1, 2), in[1].transpose(1, 2),
                                                in[2].transpose(1, 2), mask, 0.0, false, 0.3, true)
            .transpose(1, 2);
      },
      {at::randn({2, length, 6, 8}), at::randn({2, length, 2, 8}), at::randn({2, length, 2, 8})});
}

TEST_P(Reference, cached_attention_equals_attention_of_the_last_positions) {
  const at::ScalarType dtype = GetParam().dtype;
  const Tensor q = on_test_device(at::randn({2, 9, 4, 8}).to(dtype));
  const Tensor k = on_test_device(at::randn({2, 9, 2, 8}).to(dtype));
  const Tensor v = on_test_device(at::randn({2, 9, 2, 8}).to(dtype));
  const Tensor whole = ops::attention(q, k, v, at::zeros({2, 9}, at::kLong), {0.4});
  const Tensor cache_k = at::constant_pad_nd(k.transpose(1, 2), {0, 0, 0, 7}).contiguous();
  const Tensor cache_v = at::constant_pad_nd(v.transpose(1, 2), {0, 0, 0, 7}).contiguous();
  const Tensor last = ops::cached_attention(q.narrow(1, 6, 3), cache_k, cache_v, {6, 6}, {0.4});
  EXPECT_LE(relative_difference(last, whole.narrow(1, 6, 3)), GetParam().tolerance);
}

TEST_P(Reference, cached_attention_of_many_positions_equals_attention_of_each_row) {
  const at::ScalarType dtype = GetParam().dtype;
  const int64_t count = 140, slots = 300;  // more than a block of queries
  const std::vector<int64_t> lengths = {3, 100};
  const auto random = [&](const std::vector<int64_t>& shape) {
    return on_test_device(at::randn(shape).to(dtype));
  };
  const Tensor q = random({2, count, 4, 8}), k = random({2, 2, slots, 8}),
               v = random({2, 2, slots, 8});
  for (const int64_t window : {0, 30, 1000}) {
    const Tensor found = ops::cached_attention(q, k, v, lengths, {0.4}, window);
    for (int64_t row = 0; row < 2; ++row) {
      const int64_t before = lengths[static_cast<size_t>(row)], all = before + count;
      const auto of_row = [&](const Tensor& cache) {
        return cache.narrow(0, row, 1).narrow(2, 0, all).transpose(1, 2).contiguous();
      };
      const Tensor queries = at::cat({random({1, before, 4, 8}), q.narrow(0, row, 1)}, 1);
      const Tensor first = at::arange(all, at::kLong) - (window > 0 ? window : all) + 1;
      const Tensor expected =
          ops::attention(queries, of_row(k), of_row(v), first.clamp_min(0).unsqueeze(0), {0.4});
      EXPECT_LE(relative_difference(found.narrow(0, row, 1), expected.narrow(1, before, count)),
                GetParam().tolerance)
          << window << " " << row;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Dtypes, Reference,
                         testing::Values(Precision{at::kDouble, 1e-12}, Precision{at::kFloat, 1e-5},
                                         Precision{at::kBFloat16, 2e-2}),
                         [](const auto& info) { return at::toString(info.param.dtype); });

TEST(Linear, keeps_the_gradient_of_a_wider_weight_in_its_dtype) {
  const Tensor weight = on_test_device(at::randn({5, 4})).requires_grad_();
  const Tensor x = on_test_device(at::randn({3, 4}).to(at::kBFloat16));
  const Tensor y = ops::linear(x, weight);
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  y.sum().backward();
  EXPECT_EQ(weight.grad().scalar_type(), at::kFloat);
}

TEST(Linear, adds_to_the_gradient_that_a_weight_has_in_its_own_buffer) {
  const Tensor weight = on_test_device(at::randn({5, 4})).requires_grad_();
  weight.mutable_grad() = at::ones_like(weight);
  const void* buffer = weight.grad().data_ptr();
  const Tensor x = on_test_device(at::randn({3, 4}).to(at::kBFloat16));
  ops::linear(x, weight).sum().backward();
  EXPECT_EQ(weight.grad().data_ptr(), buffer);
  const Tensor expected = x.to(at::kFloat).sum(0).expand({5, 4}).to(at::kBFloat16) + 1.0F;
  EXPECT_LE(relative_difference(weight.grad(), expected), 1e-2);
}

TEST(CrossEntropy, costs_no_gradient_in_evaluation) {
  const Tensor weight = at::randn({50, 8}).requires_grad_();
  const at::NoGradGuard no_grad;
  const Tensor loss =
      ops::linear_cross_entropy(at::randn({4, 8}), weight, at::zeros({4}, at::kLong));
  EXPECT_FALSE(loss.requires_grad());
}

TEST(CrossEntropy, of_rows_is_that_of_libtorch) {
  const Tensor logits = on_test_device(at::randn({6, 40}));
  const Tensor targets = on_test_device(at::randint(40, {6}, at::kLong));
  const Tensor expected = -at::log_softmax(logits, 1).gather(1, targets.unsqueeze(1)).squeeze(1);
  EXPECT_LE(relative_difference(ops::cross_entropy_rows(logits.clone(), targets), expected), 1e-6);
}

TEST(Adamw, follows_the_formula_of_its_paper_in_float64) {
  const Tensor weight = on_test_device(at::randn({100}, at::kDouble));
  Tensor expected = weight.clone();
  const Tensor m = at::zeros_like(weight), v = at::zeros_like(weight);
  Tensor m_ref = m.clone(), v_ref = v.clone();
  for (int64_t step = 1; step <= 5; ++step) {
    const Tensor g = at::randn_like(weight);
    const Tensor taken = g.clone();
    ops::adamw({weight}, {taken}, {m}, {v}, {1e-2, 0.9, 0.95, 1e-8, 0.1, 0.5, step});
    const double t = static_cast<double>(step);
    m_ref = 0.9 * m_ref + 0.1 * (g * 0.5);
    v_ref = 0.95 * v_ref + 0.05 * (g * 0.5).square();
    expected = expected * (1 - 1e-2 * 0.1) - 1e-2 * (m_ref / (1 - std::pow(0.9, t))) /
                                                 ((v_ref / (1 - std::pow(0.95, t))).sqrt() + 1e-8);
  }
  EXPECT_LE(relative_difference(weight, expected), 1e-13);
}

TEST(Adamw, leaves_zeros_in_the_gradient) {
  const Tensor weight = on_test_device(at::randn({40000})),
               gradient = on_test_device(at::randn({40000}));
  ops::adamw({weight}, {gradient}, {at::zeros_like(weight)}, {at::zeros_like(weight)},
             {1e-2, 0.9, 0.95, 1e-8, 0.1, 0.5, 1});
  EXPECT_EQ(gradient.count_nonzero().item<int64_t>(), 0);
}

TEST(Norm, is_that_of_all_elements_of_all_tensors) {
  const Tensor x = on_test_device(at::randn({100003})), y = on_test_device(at::randn({7, 3}));
  EXPECT_NEAR(ops::norm({x, y}), at::cat({x, y.flatten()}).norm(2, at::kDouble).item<double>(),
              1e-6);
}

}  // namespace
}  // namespace lathe
