#include "lathe/io/quant.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "lathe/base/random.h"
#include "lathe/io/safetensors.h"
#include "tests/support/errors.h"

namespace lathe {
namespace {

constexpr const char* decodable[] = {"F16",    "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0",
                                     "IQ4_NL", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"};

SafetensorsFile golden_blocks() {
  return SafetensorsFile(fs::path(LATHE_TEST_DATA) / "golden/gguf/blocks.safetensors");
}

std::span<const float> floats(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}

std::vector<float> decoded(const BlockFormat& format, std::span<const std::byte> blocks) {
  std::vector<float> out(blocks.size() / format.bytes * format.elements);
  decode_blocks(format, blocks, out);
  return out;
}

std::vector<std::byte> encoded(const BlockFormat& format, std::span<const float> in) {
  std::vector<std::byte> out(in.size() / format.elements * format.bytes);
  encode_blocks(format, in, out);
  return out;
}

std::string encoding_refusal(const char* name, float value) {
  std::vector<float> in(256, 0.5F);
  in[100] = value;
  return message_of([&] { encoded(block_format(name), in); });
}

std::vector<float> normal_numbers(size_t count, float deviation) {
  Random random(stream_seed(1, "quant"));
  std::vector<float> out(count);
  for (float& x : out) {
    const double a = random.uniform(), b = random.uniform();
    x = deviation * static_cast<float>(std::sqrt(-2 * std::log(1 - a)) * std::cos(6.283185307 * b));
  }
  return out;
}

/// The root of the mean square of the differences that encoding makes, by that of the numbers.
double relative_error(const char* name, const std::vector<float>& in) {
  const BlockFormat& format = block_format(name);
  const std::vector<float> out = decoded(format, encoded(format, in));
  double error = 0, size = 0;
  for (size_t i = 0; i < in.size(); ++i) {
    error += (out[i] - in[i]) * (out[i] - in[i]);
    size += in[i] * in[i];
  }
  return std::sqrt(error / size);
}

TEST(Quant, decodes_every_format_to_the_bits_of_the_gguf_package) {
  const SafetensorsFile file = golden_blocks();
  for (const std::string name : decodable) {
    const auto expected = floats(file.data(file.at(name + ".numbers")));
    const auto found = decoded(block_format(name), file.data(file.at(name + ".blocks")));
    ASSERT_EQ(found.size(), expected.size()) << name;
    for (size_t i = 0; i < found.size(); ++i)
      ASSERT_EQ(std::bit_cast<uint32_t>(found[i]), std::bit_cast<uint32_t>(expected[i]))
          << name << " number " << i << ": " << found[i] << ", expected " << expected[i];
  }
}

TEST(Quant, decodes_blocks_at_odd_addresses) {
  const SafetensorsFile file = golden_blocks();
  for (const std::string name : decodable) {
    const auto blocks = file.data(file.at(name + ".blocks"));
    std::vector<std::byte> moved(blocks.size() + 1);
    std::copy(blocks.begin(), blocks.end(), moved.begin() + 1);
    EXPECT_EQ(decoded(block_format(name), std::span(moved).subspan(1)),
              decoded(block_format(name), blocks));
  }
}

TEST(Quant, encodes_to_the_bits_of_the_gguf_package) {
  const SafetensorsFile file = golden_blocks();
  const auto numbers = floats(file.data(file.at("numbers")));
  for (const std::string name : {"F16", "BF16", "Q4_0", "Q5_0", "Q8_0"}) {
    const BlockFormat& format = block_format(name);
    const auto expected = file.data(file.at(name + ".encoded"));
    const auto found = encoded(format, numbers);
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i)
      ASSERT_EQ(found[i], expected[i]) << name << " block " << i / format.bytes;
  }
}

// ggml's own quantiser leaves 0.0714 and 0.01776 of normal numbers.
TEST(Quant, searched_scales_leave_no_more_error_than_those_of_ggml) {
  for (const float deviation : {0.02F, 1e-3F, 30.0F}) {
    const std::vector<float> in = normal_numbers(16384, deviation);
    EXPECT_LT(relative_error("Q4_K", in), 0.0714);
    EXPECT_LT(relative_error("Q6_K", in), 0.01776);
  }
}

TEST(Quant, searched_scales_keep_what_they_can_say_exactly) {
  for (const char* name : {"Q4_K", "Q6_K"}) {
    std::vector<float> in(512, 0.0F);
    EXPECT_EQ(relative_error(name, std::vector<float>(256, 0.75F)) < 1e-3, true);
    EXPECT_EQ(decoded(block_format(name), encoded(block_format(name), in)), in);
    for (int i = 0; i < 256; ++i) in[static_cast<size_t>(i)] = static_cast<float>(i % 16) - 8;
    EXPECT_LT(relative_error(name, in), 0.02) << name;
    for (float& x : in) x = -std::fabs(x) - 1;
    EXPECT_LT(relative_error(name, in), 0.02) << name;
    for (float& x : in) x = -x;
    EXPECT_LT(relative_error(name, in), 0.05) << name;
  }
}

TEST(Quant, refuses_numbers_that_a_format_cannot_hold) {
  for (const char* name : {"Q4_0", "Q5_0", "Q8_0", "Q4_K", "Q6_K"}) {
    EXPECT_TRUE(says(encoding_refusal(name, NAN), "not finite"));
    EXPECT_TRUE(says(encoding_refusal(name, -INFINITY), "not finite"));
    EXPECT_TRUE(says(encoding_refusal(name, 1e30F), "too large for " + std::string(name)));
    EXPECT_TRUE(says(encoding_refusal(name, 1e9F), "too large for " + std::string(name)));
  }
  EXPECT_TRUE(says(encoding_refusal("F16", 65520), "too large for F16"));
  EXPECT_EQ(encoding_refusal("F16", 65519), "no error");
  EXPECT_TRUE(says(encoding_refusal("BF16", 3.4e38F), "too large for BF16"));
  // Half precision has these itself.
  EXPECT_EQ(encoding_refusal("F16", INFINITY), "no error");
  EXPECT_EQ(encoding_refusal("BF16", NAN), "no error");
}

TEST(Quant, sizes_must_fit_each_other) {
  std::vector<float> numbers(256);
  std::vector<std::byte> blocks(144);
  const BlockFormat& format = block_format("Q4_K");
  EXPECT_NO_THROW(decode_blocks(format, blocks, numbers));
  EXPECT_TRUE(
      says(message_of([&] { decode_blocks(format, blocks, std::span(numbers).first(255)); }),
           "found 144 bytes for 255 numbers"));
  EXPECT_THROW(decode_blocks(format, std::span(blocks).first(143), numbers), Error);
  EXPECT_THROW(encode_blocks(format, std::span(numbers).first(32), blocks), Error);
  EXPECT_NO_THROW(decode_blocks(format, {}, {}));
}

TEST(Quant, formats_that_are_only_listed_say_so) {
  std::vector<std::byte> blocks(66);
  std::vector<float> numbers(256);
  EXPECT_TRUE(says(message_of([&] { decode_blocks(block_format("IQ2_XXS"), blocks, numbers); }),
                   "IQ2_XXS cannot be read; those that can: F32, F16, Q4_0"));
  EXPECT_TRUE(says(message_of([&] { encoded(block_format("Q2_K"), numbers); }),
                   "those that can: F32, F16, Q4_0, Q5_0, Q8_0, Q4_K, Q6_K, BF16"));
  EXPECT_TRUE(says(message_of([] { block_format("q4"); }), "no number format \"q4\""));
}

TEST(Quant, bytes_of_shapes_are_checked) {
  const auto bytes = [](const char* name, std::vector<int64_t> shape) {
    return block_bytes(block_format(name), shape);
  };
  EXPECT_EQ(bytes("Q4_K", {3, 512}), 3u * 2 * 144);
  EXPECT_EQ(bytes("F16", {3, 5}), 30u);
  EXPECT_EQ(bytes("F32", {}), 4u);
  EXPECT_EQ(bytes("Q8_0", {0, 32}), 0u);
  EXPECT_EQ(bytes("Q8_0", {32, 31}), std::nullopt);
  EXPECT_EQ(bytes("Q8_0", {}), std::nullopt);
  EXPECT_EQ(bytes("Q8_0", {-1, 32}), std::nullopt);
  EXPECT_EQ(bytes("Q4_0", {int64_t{1} << 40, int64_t{1} << 20, 32}), std::nullopt);
}

TEST(Quant, ids_and_names_are_those_of_one_table) {
  for (const BlockFormat& format : block_formats()) {
    EXPECT_EQ(find_block_format(format.id), &format);
    EXPECT_EQ(&block_format(format.name), &format);
  }
  EXPECT_EQ(find_block_format(4), nullptr);
}

}  // namespace
}  // namespace lathe
