#include "lathe/ops/layer_norm.h"

#include "tests/ops/gradcheck.h"

namespace lathe {
namespace {

TEST(LayerNorm, is_its_formula_in_every_dtype) {
  at::manual_seed(3);
  for (const auto& [dtype, tolerance] :
       {std::pair{at::kDouble, 1e-12}, {at::kFloat, 1e-6}, {at::kBFloat16, 1e-2}}) {
    const Tensor x = (at::randn({4, 5, 40}) * 3 + 2).to(dtype);
    const Tensor weight = at::rand({40}) + 0.5, bias = at::randn({40});
    const Tensor wide = x.to(at::kDouble);
    const Tensor centred = wide - wide.mean(-1, true);
    const Tensor normed = centred / (centred.square().mean(-1, true) + 1e-3).sqrt();
    const Tensor y = ops::layer_norm(x, weight, bias, 1e-3);
    EXPECT_EQ(y.scalar_type(), dtype);
    EXPECT_LE(relative_difference(y, normed * weight + bias), tolerance) << dtype;
    EXPECT_LE(relative_difference(ops::layer_norm(x, weight, {}, 1e-3), normed * weight),
              tolerance);
  }
}

TEST(LayerNorm, keeps_the_gradient_of_wider_weights_in_their_dtype) {
  const Tensor weight = at::ones({8}).requires_grad_(), bias = at::zeros({8}).requires_grad_();
  const Tensor x = at::randn({3, 8}).to(at::kBFloat16).requires_grad_();
  (ops::layer_norm(x, weight, bias, 1e-5) * x.detach()).sum().backward();
  EXPECT_EQ(weight.grad().scalar_type(), at::kFloat);
  EXPECT_EQ(x.grad().scalar_type(), at::kBFloat16);
  EXPECT_LE(relative_difference(bias.grad(), x.detach().to(at::kDouble).sum(0)), 1e-2);
}

TEST(LayerNorm, has_the_gradient_of_finite_differences) {
  at::manual_seed(4);
  gradcheck([](const auto& in) { return ops::layer_norm(in[0], in[1], in[2], 1e-2); },
            {at::randn({3, 2, 7}), at::randn({7}), at::randn({7})});
}

}  // namespace
}  // namespace lathe
