// Operations with quantised weights compute what they do with the decoded ones.
#include "lathe/ops/quantized.h"

#include "lathe/io/quant.h"
#include "lathe/ops/block_matrix.h"
#include "lathe/ops/cross_entropy.h"
#include "lathe/ops/embedding.h"
#include "lathe/ops/linear.h"
#include "lathe/ops/nf4.h"
#include "lathe/ops/swiglu.h"
#include "tests/ops/gradcheck.h"
#include "tests/support/errors.h"

namespace lathe {
namespace {

struct Pair {
  Tensor quantized, plain;
};

Pair weights(int64_t rows, int64_t columns, at::ScalarType dtype) {
  const Tensor weight =
      ops::as_weight(ops::Nf4Matrix::encode(at::randn({rows, columns}) * 0.1), at::kFloat);
  return {ops::on_device(weight, test_device()), on_test_device(ops::in_dtype(weight, dtype))};
}

/// What f gives with the weight, and the gradient of x.
std::pair<Tensor, Tensor> result(const Tensor& x, const Tensor& weight,
                                 const std::function<Tensor(const Tensor&, const Tensor&)>& f) {
  const Tensor input = x.detach().clone().requires_grad_();
  const Tensor y = f(input, weight);
  at::manual_seed(9);
  (y * at::randn(y.sizes(), y.options())).sum().backward();
  return {y.detach(), input.grad()};
}

class Quantized : public testing::TestWithParam<at::ScalarType> {
 protected:
  void SetUp() override { at::manual_seed(1); }
  static Tensor random(at::IntArrayRef shape) {
    return on_test_device(at::randn(shape).to(GetParam()));
  }
  static void expect_same(const Tensor& x, const Pair& w,
                          const std::function<Tensor(const Tensor&, const Tensor&)>& f,
                          double tolerance = 0) {
    const auto [y, dx] = result(x, w.quantized, f);
    const auto [expected, expected_dx] = result(x, w.plain, f);
    EXPECT_LE(relative_difference(y, expected), tolerance);
    EXPECT_LE(relative_difference(dx, expected_dx), tolerance);
  }
};

TEST_P(Quantized, linear_is_that_of_the_decoded_weight_and_so_is_its_gradient) {
  const Tensor bias = random({24});
  const auto linear = [](const Tensor& x, const Tensor& w) { return ops::linear(x, w); };
  expect_same(random({2, 5, 48}), weights(24, 48, GetParam()), linear);
  const auto biased = [&](const Tensor& x, const Tensor& w) { return ops::linear(x, w, bias); };
  expect_same(random({2, 5, 48}), weights(24, 48, GetParam()), biased, 1e-2);
}

TEST_P(Quantized, a_transposed_weight_is_transposed) {
  const auto linear = [](const Tensor& x, const Tensor& w) {
    return ops::linear(x, ops::transposed(w));
  };
  const Pair w = weights(24, 48, GetParam());
  EXPECT_EQ(ops::transposed(w.quantized).sizes(), at::IntArrayRef({48, 24}));
  expect_same(random({5, 24}), w, linear);
  EXPECT_TRUE(
      at::equal(ops::in_dtype(ops::transposed(ops::transposed(w.quantized)), GetParam()), w.plain));
}

TEST_P(Quantized, a_product_with_gated_activations_is_that_of_the_decoded_weight) {
  const Tensor up = random({3, 48});
  const auto mlp = [&](const Tensor& x, const Tensor& w) {
    return ops::linear(ops::swiglu(x, up), w);
  };
  expect_same(random({3, 48}), weights(24, 48, GetParam()), mlp);
}

TEST_P(Quantized, a_large_linear_layer_and_cross_entropy_are_decoded_in_parts) {
  const double tolerance = GetParam() == at::kBFloat16 ? 2e-2 : 1e-5;
  const auto linear = [](const Tensor& x, const Tensor& w) { return ops::linear(x, w); };
  expect_same(random({3, 2050}), weights(8200, 2050, GetParam()), linear, tolerance);
  const Tensor targets = on_test_device(at::randint(2500, {600}, at::kLong));
  for (const double cap : {0.0, 3.0}) {
    const auto loss = [&](const Tensor& x, const Tensor& w) {
      return ops::linear_cross_entropy(x, w, targets, cap);
    };
    expect_same(random({600, 1000}), weights(2500, 1000, GetParam()), loss, tolerance);
  }
}

TEST_P(Quantized, embedding_takes_the_rows_of_the_tokens) {
  const Pair w = weights(30, 40, GetParam());
  const Tensor ids = on_test_device(at::tensor({3, 29, 0, 3, 7, 7}, at::kLong).view({2, 3}));
  EXPECT_TRUE(at::equal(ops::embedding(ids, w.quantized, GetParam()),
                        ops::embedding(ids, w.plain, GetParam())));
}

INSTANTIATE_TEST_SUITE_P(, Quantized, testing::Values(at::kFloat, at::kDouble, at::kBFloat16),
                         [](const auto& info) { return std::string(at::toString(info.param)); });

TEST_F(Quantized, the_gradient_of_x_is_that_of_finite_differences) {
  const Pair w = weights(6, 10, at::kDouble);
  gradcheck([&](const auto& in) { return ops::linear(in[0], w.quantized); }, {at::randn({3, 10})});
}

TEST_F(Quantized, a_weight_has_no_numbers_of_its_own) {
  const Pair w = weights(6, 10, at::kFloat);
  EXPECT_EQ(w.quantized.sizes(), at::IntArrayRef({6, 10}));
  EXPECT_EQ(w.quantized.numel(), 60);
  EXPECT_EQ(ops::bytes_of(w.quantized), 30U + 1 + 4 + 4);
  EXPECT_EQ(ops::bytes_of(w.plain), 240U);
  EXPECT_ANY_THROW(w.quantized + 1);
  EXPECT_ANY_THROW(at::mm(w.quantized, w.plain.t()));
  EXPECT_ANY_THROW(w.quantized.to(at::kDouble));
}

TEST_F(Quantized, tokens_that_an_embedding_lacks_are_an_error) {
  const Pair w = weights(6, 10, at::kFloat);
  for (const int64_t id : {6, -1})
    EXPECT_TRUE(says(
        message_of([&] { ops::embedding(at::full({1}, id, at::kLong), w.quantized, at::kFloat); }),
        "expected the number of a row"));
}

void decode_pairs(const std::byte* blocks, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) {
    out[2 * i] = static_cast<float>(blocks[i]);
    out[2 * i + 1] = -out[2 * i];
  }
}

TEST_F(Quantized, blocks_of_q8_0_are_decoded_by_operations_of_libtorch_too) {
  const BlockFormat& format = block_format("Q8_0");
  const Tensor numbers = at::randn({40, 96}) * at::logspace(-6, 2, 40).unsqueeze(1);
  const Tensor blocks = at::empty({40, 96 / 32 * 34}, at::kByte);
  encode_blocks(format, {numbers.const_data_ptr<float>(), 40 * 96},
                {static_cast<std::byte*>(blocks.mutable_data_ptr()), blocks.nbytes()});
  const Tensor expected = at::empty({40, 96});
  format.decode(static_cast<const std::byte*>(blocks.const_data_ptr()), 40 * 3,
                expected.mutable_data_ptr<float>());
  EXPECT_TRUE(at::equal(ops::decode_q8_0(blocks.view({-1, 34})).view({40, 96}), expected));
  const auto matrix =
      ops::BlockMatrix({"Q8_0", 32, 34, format.decode, ops::decode_q8_0}, blocks).to(test_device());
  const Tensor weight = ops::as_weight(matrix, at::kFloat);
  EXPECT_TRUE(at::equal(ops::in_dtype(weight, at::kFloat).cpu(), expected));
  const Tensor ids = at::tensor({3, 39, 0, 3}, at::kLong);
  EXPECT_TRUE(at::equal(ops::rows_in_dtype(weight, on_test_device(ids), at::kFloat).cpu(),
                        expected.index_select(0, ids)));
}

TEST_F(Quantized, blocks_of_a_file_are_decoded_by_their_function) {
  const ops::BlockDecoder pairs{"pairs", 2, 1, decode_pairs};
  const Tensor blocks = at::randint(256, {3000, 7}, at::kByte);
  const Tensor expected = at::stack({blocks, blocks}, 2).view({3000, 14}).to(at::kDouble) *
                          at::tensor({1, -1}, at::kDouble).repeat({7});
  const Tensor weight =
      ops::as_weight(std::make_shared<ops::BlockMatrix>(pairs, blocks), at::kFloat);
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble, at::kBFloat16, at::kHalf})
    EXPECT_TRUE(at::equal(ops::in_dtype(weight, dtype), expected.to(dtype))) << dtype;
  EXPECT_EQ(ops::bytes_of(weight), 21000U);
  EXPECT_TRUE(says(message_of([&] {
                     ops::BlockMatrix({"threes", 2, 3, decode_pairs}, blocks);
                   }),
                   "expected rows of whole blocks"));
}

}  // namespace
}  // namespace lathe
