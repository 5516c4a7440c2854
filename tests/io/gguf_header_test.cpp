#include "lathe/io/gguf_header.h"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/io/gguf_bytes.h"
#include "tests/support/address_space.h"
#include "tests/support/errors.h"

namespace lathe {
namespace {

constexpr uint32_t f32 = 0, q4_0 = 2, q4_k = 12, i8 = 24, i64 = 27;
constexpr uint64_t huge[] = {uint64_t{1} << 31, uint64_t{1} << 32, (uint64_t{1} << 63) - 1,
                             uint64_t{1} << 63, ~uint64_t{0} - 3,  ~uint64_t{0}};

std::string gguf_header_refusal(const GgufBytes& file) {
  return message_of([&] { parse_gguf_header(file.span()); });
}

GgufHeader accepted_header(const GgufBytes& file) {
  return parse_gguf_header(file.span());
}

/// One tensor at offset 0, all of its data there.
GgufBytes one_tensor(std::vector<uint64_t> shape, uint32_t format, size_t data_bytes) {
  return GgufBytes(1, 0).tensor("t", std::move(shape), format, 0).data(data_bytes);
}

// The cases of llama.cpp's tests/test-gguf.cpp, by their names there.

TEST(GgufHeader, refuses_upstream_header_bad_magic) {
  std::string text = GgufBytes(0, 0).text();
  text[0] = 'F';
  EXPECT_TRUE(says(message_of([&] { parse_gguf_header(std::as_bytes(std::span(text))); }),
                   "not a GGUF file"));
}

TEST(GgufHeader, refuses_upstream_header_bad_version) {
  EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(0, 0, 0)), "version 0 is not read, only 2 and 3"));
  EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(0, 0, 1)), "version 1 is not read"));
  EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(0, 0, 4)), "version 4 is not read"));
}

TEST(GgufHeader, refuses_a_big_endian_file_by_name) {
  EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(0, 0, 0x03000000)), "big-endian"));
}

TEST(GgufHeader, refuses_upstream_header_bad_n_tensors) {
  for (const uint64_t count : huge)
    EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(count, 0).data(64)),
                     format("announces {} tensors, but only", count)));
}

TEST(GgufHeader, refuses_upstream_header_bad_n_kv) {
  for (const uint64_t count : huge)
    EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(0, count).data(64)),
                     format("announces {} keys, but only", count)));
}

TEST(GgufHeader, accepts_upstream_header_empty) {
  EXPECT_TRUE(accepted_header(GgufBytes(0, 0)).tensors.empty());
  EXPECT_TRUE(accepted_header(GgufBytes(0, 0, 2).data(8)).metadata.entries().empty());
}

TEST(GgufHeader, refuses_upstream_kv_bad_key_size) {
  for (const uint64_t length : huge)
    EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(0, 1).number(length).data(64)),
                     format("a key takes {} bytes, but only", length)));
  EXPECT_TRUE(says(
      gguf_header_refusal(GgufBytes(0, 1).entry(std::string(65536, 'k'), GgufType::uint8, 'x')),
      "keys of 1 to 65535 bytes"));
}

TEST(GgufHeader, refuses_upstream_kv_empty_key_and_keys_that_are_no_text) {
  EXPECT_TRUE(
      says(gguf_header_refusal(GgufBytes(0, 1).entry("", GgufType::uint64, 1L)), "keys of 1 to"));
  EXPECT_TRUE(
      says(gguf_header_refusal(GgufBytes(0, 1).entry("\xff", GgufType::uint64, 1L)), "UTF-8"));
}

TEST(GgufHeader, refuses_upstream_kv_bad_type) {
  for (const uint32_t type : {13U, 255U, 0x80000000U, 0xFFFFFFFFU}) {
    const auto value = static_cast<GgufType>(type);
    EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(0, 1).entry("k", value, 1L)),
                     format("\"k\": expected a type below 13, found {}", type)));
    EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(0, 1).array("k", value, 0)),
                     "expected a type below 13"));
  }
}

TEST(GgufHeader, refuses_upstream_kv_bad_value_size) {
  for (const uint64_t length : huge) {
    EXPECT_TRUE(
        says(gguf_header_refusal(GgufBytes(0, 1).entry("k", GgufType::string, length).data(64)),
             format("a string takes {} bytes, but only", length)));
    for (uint32_t type = 0; type < gguf_types; ++type)
      EXPECT_TRUE(says(
          gguf_header_refusal(
              GgufBytes(0, 1).array("k", static_cast<GgufType>(type), length).data(64)),
          format("\"k\": {} x {}, but only", length, gguf_type_name(static_cast<GgufType>(type)))));
  }
  EXPECT_TRUE(
      says(gguf_header_refusal(GgufBytes(0, 1).key("a key", GgufType::float64).raw("1234567")),
           "1 x float64, but only 7 bytes follow"));
}

TEST(GgufHeader, refuses_upstream_kv_duplicate_key) {
  EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(0, 3)
                                           .entry("a", GgufType::uint8, 'x')
                                           .entry("b", GgufType::uint32, 1)
                                           .entry("a", GgufType::uint32, 1)),
                   "the key \"a\" is there twice"));
}

TEST(GgufHeader, refuses_upstream_kv_bad_align_and_kv_wrong_type_align) {
  for (const uint32_t value : {0U, 1U, 3U, 4U, 13U, 33U, 0x80000000U, 0xFFFFFFFFU, 2U << 20})
    EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(0, 1).alignment(value)),
                     format("a power of two from 8 to 1048576, found uint32 {}", value)));
  EXPECT_TRUE(
      says(gguf_header_refusal(GgufBytes(0, 1).entry("general.alignment", GgufType::int32, 32)),
           "\"general.alignment\": expected a uint32"));
  EXPECT_TRUE(says(
      gguf_header_refusal(GgufBytes(0, 1).key("general.alignment", GgufType::string).string("32")),
      "found string \"32\""));
}

TEST(GgufHeader, accepts_upstream_kv_success) {
  const GgufHeader header = accepted_header(GgufBytes(0, 3)
                                                .key("s", GgufType::string)
                                                .string("text")
                                                .array("a", GgufType::int16, 3)
                                                .raw("112233")
                                                .entry("n", GgufType::uint8, '\x05'));
  EXPECT_EQ(header.metadata.get_string("s"), "text");
  EXPECT_EQ(header.metadata.get_ints("a"), (std::vector<int64_t>{0x3131, 0x3232, 0x3333}));
  EXPECT_EQ(header.metadata.get_int("n"), 5);
}

TEST(GgufHeader, refuses_upstream_tensors_bad_name_size) {
  const std::string longest(63, 'n');
  EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(1, 0).tensor(longest + "n", {1}, f32, 0).data(4)),
                   "of 1 to 63 bytes"));
  EXPECT_EQ(accepted_header(GgufBytes(1, 0).tensor(longest, {1}, f32, 0).data(4)).tensors[0].name,
            longest);
  EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(1, 0).tensor("", {1}, f32, 0).data(4)),
                   "of 1 to 63 bytes"));
  EXPECT_TRUE(
      says(gguf_header_refusal(GgufBytes(1, 0).tensor("\xff", {1}, f32, 0).data(4)), "UTF-8"));
  for (const uint64_t length : huge)
    EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(1, 0).number(length).data(64)),
                     "the name of a tensor takes"));
}

TEST(GgufHeader, refuses_upstream_tensors_bad_n_dims) {
  EXPECT_TRUE(says(gguf_header_refusal(one_tensor({1, 1, 1, 1, 1}, f32, 4)),
                   "tensor \"t\": at most 4 dimensions, found 5"));
  EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(1, 0).string("t").number(0xFFFFFFFFU).data(64)),
                   "at most 4 dimensions"));
}

TEST(GgufHeader, refuses_upstream_tensors_bad_shape) {
  for (const uint64_t size : {~uint64_t{0}, uint64_t{1} << 63})
    EXPECT_TRUE(
        says(gguf_header_refusal(one_tensor({size}, f32, 4)), format("a dimension of {}", size)));
  EXPECT_TRUE(says(gguf_header_refusal(one_tensor({33}, q4_0, 64)), "rows of whole blocks of 32"));
  EXPECT_TRUE(says(gguf_header_refusal(one_tensor({}, q4_0, 64)), "rows of whole blocks of 32"));
  EXPECT_TRUE(
      says(gguf_header_refusal(one_tensor({128, 2}, q4_k, 144)), "rows of whole blocks of 256"));
}

TEST(GgufHeader, accepts_upstream_tensors_zero_dim) {
  const GgufHeader header = accepted_header(one_tensor({32, 0}, q4_0, 0));
  EXPECT_EQ(header.tensors[0].shape, (std::vector<int64_t>{0, 32}));
  EXPECT_EQ(header.tensors[0].bytes, 0u);
}

TEST(GgufHeader, refuses_upstream_tensors_ne_too_big_and_nbytes_too_big) {
  const uint64_t large = 4 * uint64_t{0x7FFFFFFF};
  EXPECT_TRUE(says(gguf_header_refusal(one_tensor({large, large}, f32, 64)), "below 2^63 bytes"));
  EXPECT_TRUE(
      says(gguf_header_refusal(one_tensor({1 << 30, 1 << 30, 32}, i64, 64)), "below 2^63 bytes"));
  EXPECT_TRUE(
      says(gguf_header_refusal(one_tensor({uint64_t{1} << 62}, i64, 64)), "below 2^63 bytes"));
  // Products that wrap to something small, and one that only a zero keeps small.
  EXPECT_TRUE(says(
      gguf_header_refusal(one_tensor({uint64_t{1} << 32, uint64_t{1} << 32, 1}, i8, 64)), "2^63"));
  EXPECT_TRUE(says(gguf_header_refusal(one_tensor({uint64_t{1} << 62, 4, 1}, q4_0, 64)), "2^63"));
  EXPECT_TRUE(says(gguf_header_refusal(one_tensor({uint64_t{1} << 62, 4, 0}, f32, 64)), "2^63"));
  EXPECT_TRUE(
      says(gguf_header_refusal(one_tensor({(uint64_t{1} << 63) - 1, 2, 1, 1}, i8, 64)), "2^63"));
}

TEST(GgufHeader, refuses_upstream_tensors_bad_type) {
  for (const uint32_t type : {4U, 5U, 31U, 36U, 42U, 255U, 0x7FFFFFFFU, 0x80000000U, ~0U})
    EXPECT_TRUE(says(gguf_header_refusal(one_tensor({32}, type, 128)),
                     format("tensor \"t\": no number format {} is known", type)));
}

TEST(GgufHeader, refuses_upstream_tensors_bad_offset) {
  for (const uint64_t offset : {~uint64_t{0}, uint64_t{1} << 63, uint64_t{1}, uint64_t{16},
                                uint64_t{64}, ~uint64_t{0} - 31})
    EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(1, 0).tensor("t", {4}, f32, offset).data(256)),
                     format("tensor \"t\" begins at byte {}, expected 0", offset)));
}

TEST(GgufHeader, refuses_upstream_tensors_duplicate_name) {
  EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(3, 0)
                                           .tensor("a", {4}, f32, 0)
                                           .tensor("b", {4}, f32, 32)
                                           .tensor("a", {4}, f32, 64)
                                           .data(96)),
                   "tensor \"a\" is there twice"));
}

TEST(GgufHeader, refuses_upstream_tensors_inconsistent_align) {
  const auto file = [](uint32_t alignment, uint64_t second) {
    return GgufBytes(2, 1)
        .alignment(alignment)
        .tensor("a", {1}, f32, 0)
        .tensor("b", {1}, f32, second)
        .data(256, alignment);
  };
  EXPECT_TRUE(
      says(gguf_header_refusal(file(32, 64)), "do not follow each other as their alignment says"));
  EXPECT_TRUE(says(gguf_header_refusal(file(64, 32)), "do not follow each other"));
  EXPECT_TRUE(says(gguf_header_refusal(file(32, 4)), "begins at byte 4, expected 32"));
}

TEST(GgufHeader, accepts_upstream_tensors_success_and_custom_align) {
  const GgufHeader header = accepted_header(GgufBytes(2, 1)
                                                .alignment(128)
                                                .tensor("b", {3, 2}, f32, 0)
                                                .tensor("a", {32, 2}, q4_0, 128)
                                                .data(128 + 36, 128));
  ASSERT_EQ(header.tensors.size(), 2u);
  EXPECT_EQ(header.tensors[0].name, "a");
  EXPECT_EQ(header.tensors[0].shape, (std::vector<int64_t>{2, 32}));
  EXPECT_EQ(header.tensors[0].dtype, DType::F32);
  EXPECT_EQ(header.tensors[0].bytes, 256u);
  EXPECT_EQ(header.formats[0]->name, "Q4_0");
  EXPECT_EQ(header.tensors[1].shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(header.data_offset % 128, 0u);
}

TEST(GgufHeader, refuses_upstream_data_not_enough_data) {
  EXPECT_TRUE(says(gguf_header_refusal(one_tensor({4}, f32, 15)),
                   "takes 16 bytes from byte 0, but only 15 bytes follow the header"));
  EXPECT_TRUE(says(gguf_header_refusal(one_tensor({256}, q4_k, 143)), "takes 144 bytes"));
  EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(1, 0).tensor("t", {4}, f32, 0)),
                   "but only 0 bytes follow"));
}

TEST(GgufHeader, refuses_upstream_data_mem_size_overflow) {
  const uint64_t large = 0x7FFFFFFFFFFFFFC0;
  EXPECT_TRUE(says(gguf_header_refusal(one_tensor({large}, i8, 32)), "is no shape of I8"));
  // Two that are possible each, and whose padded sum is beyond 63 bits.
  const uint64_t half = uint64_t{1} << 59;
  EXPECT_TRUE(
      says(gguf_header_refusal(
               GgufBytes(2, 0).tensor("a", {half}, i8, 0).tensor("b", {half}, i8, half).data(32)),
           "takes 576460752303423488 bytes from byte 0, but only 32"));
}

// What other readers have let through.

TEST(GgufHeader, refuses_padding_that_wraps) {
  EXPECT_EQ(gguf_pad(0, 32), 0u);
  EXPECT_EQ(gguf_pad(33, 32), 64u);
  EXPECT_EQ(gguf_pad(~uint64_t{0} - 3, 32), std::nullopt);
  EXPECT_EQ(gguf_pad((uint64_t{1} << 63) - 1, 32), std::nullopt);
}

TEST(GgufHeader, refuses_tensors_that_overlap) {
  EXPECT_TRUE(
      says(gguf_header_refusal(
               GgufBytes(2, 0).tensor("a", {16}, f32, 0).tensor("b", {16}, f32, 32).data(128)),
           "tensor \"b\" begins at byte 32, expected 64: the tensors overlap"));
  EXPECT_TRUE(says(gguf_header_refusal(
                       GgufBytes(2, 0).tensor("a", {8}, f32, 0).tensor("b", {8}, f32, 0).data(64)),
                   "the tensors overlap"));
}

TEST(GgufHeader, accepts_tensors_in_any_order) {
  EXPECT_EQ(
      accepted_header(GgufBytes(2, 0).tensor("a", {8}, f32, 32).tensor("b", {8}, f32, 0).data(64))
          .tensors[1]
          .offset,
      0u);
}

TEST(GgufHeader, refuses_arrays_nested_too_deep_and_skips_those_that_are_not) {
  const auto nested = [](int depth) {
    GgufBytes file(0, 1);
    file.array("k", GgufType::array, 1);
    for (int i = 1; i < depth; ++i)
      file.number(static_cast<uint32_t>(GgufType::array)).number(uint64_t{1});
    return file.number(static_cast<uint32_t>(GgufType::uint8)).number(uint64_t{1}).raw("x");
  };
  EXPECT_TRUE(accepted_header(nested(7)).metadata.has("k"));
  EXPECT_TRUE(says(gguf_header_refusal(nested(9)), "arrays in arrays"));
  EXPECT_TRUE(says(gguf_header_refusal(nested(100'000)), "arrays in arrays"));
}

TEST(GgufHeader, refuses_a_string_array_whose_elements_run_past_the_end) {
  EXPECT_TRUE(says(gguf_header_refusal(GgufBytes(0, 1)
                                           .array("k", GgufType::string, 2)
                                           .string("a")
                                           .number(~uint64_t{0})
                                           .data(64)),
                   "a string takes 18446744073709551615 bytes"));
}

TEST(GgufHeader, refuses_every_cut_of_a_file) {
  const std::string text = GgufBytes(1, 2)
                               .key("s", GgufType::string)
                               .string("text")
                               .array("a", GgufType::string, 2)
                               .string("x")
                               .string("y")
                               .tensor("t", {4, 2}, f32, 0)
                               .data(32)
                               .text();
  const auto whole = std::as_bytes(std::span(text));
  EXPECT_NO_THROW(parse_gguf_header(whole));
  for (size_t length = 0; length < text.size(); ++length) {
    const std::string message = message_of([&] { parse_gguf_header(whole.first(length)); });
    EXPECT_TRUE(says(message, length < 4 ? "not a GGUF file" : "bytes follow")) << length;
  }
}

/// Whether headers that announce everything too large are refused within a megabyte.
bool refuses_counts_within_a_megabyte() {
  std::vector<GgufBytes> files;
  for (const uint64_t count : huge) {
    files.push_back(GgufBytes(count, 0).data(4096));
    files.push_back(GgufBytes(0, count).data(4096));
    files.push_back(GgufBytes(0, 1).number(count).data(4096));
    files.push_back(GgufBytes(1, 0).tensor("t", {count}, f32, 0).data(4096));
    for (uint32_t type = 0; type < gguf_types; ++type)
      files.push_back(GgufBytes(0, 1).array("k", static_cast<GgufType>(type), count).data(4096));
  }
  limit_address_space(1 << 20);
  const auto begin = std::chrono::steady_clock::now();
  for (const GgufBytes& file : files)
    if (gguf_header_refusal(file).starts_with("no error")) return false;
  // Ten milliseconds each are promised; this is a hundred.
  return std::chrono::steady_clock::now() - begin < files.size() * std::chrono::milliseconds(100);
}

TEST(GgufHeaderDeathTest, a_hostile_header_costs_no_memory_and_no_time) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer needs the address space";
#endif
  EXPECT_EXIT(std::_Exit(refuses_counts_within_a_megabyte() ? 0 : 1), testing::ExitedWithCode(0),
              "");
}

}  // namespace
}  // namespace lathe
