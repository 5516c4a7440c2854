// NF4 against bitsandbytes (tests/golden/nf4).
#include "lathe/ops/nf4.h"

#include "lathe/io/safetensors.h"
#include "tests/ops/gradcheck.h"
#include "tests/support/errors.h"

namespace lathe {
namespace {

class Nf4 : public testing::TestWithParam<std::string> {
 protected:
  static Tensor golden(const std::string& name) {
    static const SafetensorsFile file(std::filesystem::path(LATHE_TEST_DATA) /
                                      "golden/nf4/nf4.safetensors");
    const TensorInfo& info = file.at(name);
    const at::ScalarType dtype = info.dtype == DType::F32    ? at::kFloat
                                 : info.dtype == DType::BF16 ? at::kBFloat16
                                                             : at::kByte;
    return at::from_blob(const_cast<std::byte*>(file.data(info).data()), info.shape,
                         at::TensorOptions().dtype(dtype));
  }
  static Tensor of(const std::string& name) { return golden(GetParam() + "." + name); }
};

TEST_P(Nf4, has_the_blocks_of_bitsandbytes) {
  const auto matrix = ops::Nf4Matrix::encode(of("numbers"));
  EXPECT_TRUE(at::equal(matrix->codes(), of("codes")));
  EXPECT_TRUE(at::equal(matrix->scales(), of("scales")));
  EXPECT_LE(relative_difference(matrix->steps(), of("steps")), 1e-6);
  EXPECT_NEAR(matrix->offset(), of("offset").item<float>(), 1e-8);
  EXPECT_EQ(matrix->bytes(),
            of("codes").nbytes() + of("scales").nbytes() + of("steps").nbytes() + sizeof(float));
}

TEST_P(Nf4, decodes_to_the_numbers_of_bitsandbytes) {
  const Tensor weight = ops::as_weight(ops::Nf4Matrix::encode(of("numbers")), at::kFloat);
  const Tensor decoded = ops::in_dtype(weight, at::kFloat);
  EXPECT_LE(relative_difference(decoded, of("decoded")), 1e-6);
  for (const at::ScalarType dtype : {at::kDouble, at::kBFloat16, at::kHalf})
    EXPECT_TRUE(at::equal(ops::in_dtype(weight, dtype), decoded.to(dtype))) << dtype;
}

TEST_P(Nf4, any_rows_are_those_of_the_whole) {
  const auto matrix = ops::Nf4Matrix::encode(of("numbers"));
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16, at::kHalf}) {
    const Tensor whole = at::empty({matrix->rows(), matrix->columns()}, dtype);
    matrix->decode(0, whole);
    for (int64_t first = 0; first < 7; ++first)
      for (int64_t count = 1; first + count <= 7; ++count) {
        const Tensor rows = at::empty({count, matrix->columns()}, dtype);
        matrix->decode(first, rows);
        EXPECT_TRUE(at::equal(rows, whole.narrow(0, first, count))) << first << " " << count;
      }
  }
}

TEST_P(Nf4, is_what_it_was_after_another_round) {
  const auto matrix = ops::Nf4Matrix::encode(of("numbers"));
  const Tensor decoded = ops::in_dtype(ops::as_weight(matrix, at::kFloat), at::kFloat);
  const auto again = ops::Nf4Matrix::encode(decoded);
  EXPECT_TRUE(at::equal(again->codes(), matrix->codes()));
}

INSTANTIATE_TEST_SUITE_P(, Nf4, testing::Values("large", "uneven"),
                         [](const auto& info) { return info.param; });

TEST_F(Nf4, has_the_code_books_of_bitsandbytes) {
  EXPECT_TRUE(at::equal(at::tensor(at::ArrayRef<float>(ops::nf4_values)), golden("values")));
  EXPECT_TRUE(at::equal(ops::dynamic_values(), golden("dynamic")));
}

TEST_F(Nf4, numbers_that_are_not_finite_are_an_error) {
  for (const double value : {std::nan(""), HUGE_VAL}) {
    const Tensor numbers = at::ones({3, 64});
    numbers[1][5] = value;
    EXPECT_TRUE(says(message_of([&] { ops::Nf4Matrix::encode(numbers); }), "NaN or infinity"));
  }
}

TEST_F(Nf4, empty_zero_and_tiny_matrices_are_themselves) {
  for (const Tensor& numbers : {at::zeros({2, 3}), at::zeros({0, 8}), at::full({1, 1}, -0.5)}) {
    const Tensor weight = ops::as_weight(ops::Nf4Matrix::encode(numbers), at::kFloat);
    EXPECT_TRUE(at::equal(ops::in_dtype(weight, at::kFloat), numbers)) << numbers.sizes();
  }
}

}  // namespace
}  // namespace lathe
