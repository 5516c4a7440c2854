#include <gtest/gtest.h>

#include "lathe/io/safetensors.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

const fs::path golden_folder = fs::path(LATHE_TEST_DATA) / "golden/safetensors";

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

/// What make_safetensors.py puts into byte i of tensor t.
std::vector<std::byte> golden_bytes(size_t t, size_t size, bool boolean) {
  std::vector<std::byte> bytes(size);
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::byte>((37 * t + 11 * i) % (boolean ? 2 : 251));
  return bytes;
}

void check_written(const SafetensorsFile& file) {
  size_t t = 0;
  for (const TensorInfo& tensor : file.tensors()) {
    const auto expected = golden_bytes(t++, tensor.bytes, tensor.dtype == DType::BOOL);
    EXPECT_TRUE(std::ranges::equal(file.data(tensor), expected)) << tensor.name;
  }
}

std::vector<TensorView> views(const SafetensorsFile& file) {
  std::vector<TensorView> result;
  for (const TensorInfo& tensor : file.tensors())
    result.push_back({tensor.name, tensor.dtype, tensor.shape, file.data(tensor)});
  return result;
}

class SafetensorsGolden : public testing::TestWithParam<const char*> {};

TEST_P(SafetensorsGolden, is_read_and_written_back_byte_for_byte) {
  const fs::path path = golden_folder / GetParam();
  const SafetensorsFile file(path);
  ASSERT_FALSE(file.tensors().empty());
  check_written(file);
  const TemporaryFolder folder;
  write_safetensors(folder / "copy", views(file), file.metadata());
  EXPECT_EQ(read_file(folder / "copy"), read_file(path));
}

INSTANTIATE_TEST_SUITE_P(Files, SafetensorsGolden,
                         testing::Values("all_dtypes.safetensors", "shapes.safetensors"));

TEST(SafetensorsGoldenFiles, hold_every_dtype_of_whole_bytes) {
  const SafetensorsFile file(golden_folder / "all_dtypes.safetensors");
  EXPECT_EQ(file.tensors().size(), 19u);
  EXPECT_EQ(file.at("t.bfloat16").dtype, DType::BF16);
  EXPECT_EQ(file.at("t.float8_e4m3fn").dtype, DType::F8_E4M3);
  EXPECT_EQ(file.at("t.complex64").bytes, 48u);
  EXPECT_EQ(file.metadata().at("format"), "pt");
}

TEST(SafetensorsWrite, aligns_every_tensor_to_its_elements) {
  const TemporaryFolder folder;
  const std::string zeros(8, '\0');
  const std::vector<TensorView> tensors = {
      {"a", DType::U8, {3}, bytes_of(zeros).first(3)},
      {"b", DType::F64, {1}, bytes_of(zeros)},
      {"c", DType::BF16, {1}, bytes_of(zeros).first(2)},
      {"d", DType::F32, {}, bytes_of(zeros).first(4)},
  };
  write_safetensors(folder / "x", tensors);
  const SafetensorsFile file(folder / "x");
  for (const TensorInfo& tensor : file.tensors()) {
    const auto address = reinterpret_cast<uintptr_t>(file.data(tensor).data());
    EXPECT_EQ(address % static_cast<uintptr_t>(dtype_bits(tensor.dtype) / 8), 0u) << tensor.name;
  }
  EXPECT_EQ(file.at("b").offset, 0u);
  EXPECT_EQ(file.at("a").offset, 14u);
}

TEST(SafetensorsWrite, makes_the_bytes_of_one_tensor_at_a_time) {
  const TemporaryFolder folder;
  std::vector<std::byte> scratch;
  int made = 0;
  std::vector<TensorView> tensors;
  for (int t = 0; t < 3; ++t) {
    TensorView view{format("t{}", t), DType::U8, {4}, {}};
    view.make = [&scratch, &made, t]() -> std::span<const std::byte> {
      EXPECT_EQ(made++, t);
      scratch.assign(4, static_cast<std::byte>(t));
      return scratch;
    };
    tensors.push_back(view);
  }
  write_safetensors(folder / "x", tensors);
  const SafetensorsFile file(folder / "x");
  for (int t = 0; t < 3; ++t)
    EXPECT_EQ(file.data(file.at(format("t{}", t)))[3], static_cast<std::byte>(t));
}

TEST(SafetensorsWrite, refuses_what_no_reader_would_accept) {
  const TemporaryFolder folder;
  const std::string four(4, 'x');
  const auto refusal = [&](std::vector<TensorView> tensors,
                           std::map<std::string, std::string> metadata = {}) {
    return message_of([&] { write_safetensors(folder / "x", tensors, metadata); });
  };
  EXPECT_TRUE(says(refusal({{"a", DType::U8, {5}, bytes_of(four)}}),
                   "tensor \"a\": U8 (5) takes 5 bytes, given are 4"));
  EXPECT_TRUE(
      says(refusal({{"a", DType::U8, {4}, bytes_of(four)}, {"a", DType::F32, {1}, bytes_of(four)}}),
           "twice"));
  EXPECT_TRUE(says(refusal({{"__metadata__", DType::U8, {4}, bytes_of(four)}}), "the name"));
  EXPECT_TRUE(says(refusal({{"\xff", DType::U8, {4}, bytes_of(four)}}), "UTF-8"));
  EXPECT_TRUE(says(refusal({{"a", DType::U8, {-4}, bytes_of(four)}}), "no whole number"));
  EXPECT_TRUE(says(refusal({}, {{"k", "\xff"}}), "UTF-8"));
}

TEST(SafetensorsWrite, an_empty_file_has_an_empty_header) {
  const TemporaryFolder folder;
  write_safetensors(folder / "x", {});
  EXPECT_EQ(read_file(folder / "x"), std::string("\x08\0\0\0\0\0\0\0{}      ", 16));
  EXPECT_TRUE(SafetensorsFile(folder / "x").tensors().empty());
}

TEST(SafetensorsWrite, atomic_write_leaves_old_readers_and_no_temporary_file) {
  const TemporaryFolder folder;
  const std::string one(4, '1'), two(4, '2');
  write_safetensors_atomic(folder / "x",
                           std::vector<TensorView>{{"a", DType::U8, {4}, bytes_of(one)}});
  const SafetensorsFile old(folder / "x");
  write_safetensors_atomic(folder / "x",
                           std::vector<TensorView>{{"a", DType::U8, {4}, bytes_of(two)}});
  EXPECT_THROW(write_safetensors_atomic(
                   folder / "x", std::vector<TensorView>{{"a", DType::U8, {9}, bytes_of(two)}}),
               Error);
  EXPECT_EQ(old.data(old.at("a"))[0], std::byte{'1'});
  const SafetensorsFile now(folder / "x");
  EXPECT_EQ(now.data(now.at("a"))[0], std::byte{'2'});
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace lathe
