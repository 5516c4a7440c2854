#include "lathe/io/safetensors.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <fstream>

#include "tests/support/address_space.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

constexpr const char* example = R"({"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}})";

/// The bytes of a file with that header and `data_bytes` zeros behind it.
std::string with_header(std::string_view header, size_t data_bytes) {
  const uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes.append(header).append(data_bytes, '\0');
}

/// The message for a file of these bytes, which must begin with its path.
std::string safetensors_refusal(const std::string& bytes) {
  const TemporaryFolder folder;
  const fs::path path = folder / "x.safetensors";
  std::ofstream(path, std::ios::binary) << bytes;
  std::string message = message_of([&] { SafetensorsFile file(path); });
  const std::string prefix = "reading " + path.string() + ": ";
  if (!message.starts_with(prefix)) return "no error that begins with the path: " + message;
  return message.substr(prefix.size());
}

std::string safetensors_refusal(std::string_view header, size_t data_bytes) {
  return safetensors_refusal(with_header(header, data_bytes));
}

/// The tensors of a file with that header, which must be accepted.
std::vector<TensorInfo> accepted(std::string_view header, size_t data_bytes) {
  return parse_safetensors_header(header, data_bytes).tensors;
}

// The test vectors of the reference implementation, by their names there.

TEST(Safetensors, accepts_upstream_deserialization) {
  const auto tensors = accepted(example, 16);
  ASSERT_EQ(tensors.size(), 1u);
  EXPECT_EQ(tensors[0].name, "test");
  EXPECT_EQ(tensors[0].dtype, DType::I32);
  EXPECT_EQ(tensors[0].shape, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(tensors[0].offset, 0u);
  EXPECT_EQ(tensors[0].bytes, 16u);
}

TEST(Safetensors, accepts_upstream_empty_shapes_allowed) {
  const auto tensors = accepted(R"({"test":{"dtype":"I32","shape":[],"data_offsets":[0,4]}})", 4);
  EXPECT_TRUE(tensors.at(0).shape.empty());
}

TEST(Safetensors, accepts_upstream_zero_sized_tensor) {
  const auto tensors =
      accepted(R"({"test":{"dtype":"I32","shape":[2,0],"data_offsets":[0, 0]}})", 0);
  EXPECT_EQ(tensors.at(0).bytes, 0u);
}

TEST(Safetensors, accepts_upstream_whitespace_padded_header) {
  EXPECT_TRUE(accepted("{}\x0D\x20\x09\x0A", 0).empty());
}

TEST(Safetensors, accepts_upstream_whitespace_leading_padded_header) {
  EXPECT_TRUE(accepted("\x09\x0A{}\x0D\x20", 0).empty());
}

TEST(Safetensors, refuses_upstream_json_attack) {
  std::string header = "{";
  for (int i = 0; i < 10; ++i)
    header += format(R"("weight_{}":{{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}},)", i);
  header.back() = '}';
  EXPECT_TRUE(says(safetensors_refusal(header, 16), "overlap"));
}

TEST(Safetensors, refuses_upstream_metadata_incomplete_buffer) {
  EXPECT_TRUE(
      says(safetensors_refusal(with_header(example, 16) + "extra_bogus_data_for_polyglot_file"),
           "the tensors take 16 bytes, but 50 bytes follow the header"));
  EXPECT_TRUE(says(safetensors_refusal(example, 14), "only 14 bytes follow the header"));
}

TEST(Safetensors, refuses_upstream_header_too_large) {
  EXPECT_TRUE(says(safetensors_refusal(std::string("<\x00\x00\x00\x00\xff\xff\xff", 8) + example),
                   "allowed are 100000000"));
}

TEST(Safetensors, refuses_upstream_header_too_small) {
  EXPECT_TRUE(says(safetensors_refusal(""), "0 bytes are too short"));
  EXPECT_TRUE(says(safetensors_refusal("1234567"), "7 bytes are too short"));
}

TEST(Safetensors, refuses_upstream_invalid_header_length) {
  EXPECT_TRUE(says(safetensors_refusal(std::string("<\0\0\0\0\0\0\0", 8)), "cut off"));
}

TEST(Safetensors, refuses_upstream_invalid_header_non_utf8) {
  EXPECT_TRUE(says(safetensors_refusal("\xff", 0), "begin with {"));
  EXPECT_TRUE(says(safetensors_refusal("{\"\xff\":1}", 0), "ill-formed UTF-8"));
}

TEST(Safetensors, refuses_upstream_invalid_header_not_json) {
  EXPECT_TRUE(says(safetensors_refusal("{", 0), "line 1, column 1: invalid JSON"));
}

TEST(Safetensors, refuses_upstream_invalid_info) {
  EXPECT_TRUE(says(
      safetensors_refusal(R"({"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0, 4]}})", 4),
      "tensor \"test\": I32 (2, 2) takes 16 bytes, but \"data_offsets\" give 4"));
}

TEST(Safetensors, refuses_upstream_validation_overflow) {
  EXPECT_TRUE(says(
      safetensors_refusal(
          R"({"test":{"dtype":"I32","shape":[2,18446744073709551614],"data_offsets":[0,16]}})", 16),
      "too large"));
  EXPECT_TRUE(says(
      safetensors_refusal(
          R"({"test":{"dtype":"I32","shape":[2,9223372036854775807],"data_offsets":[0,16]}})", 16),
      "no whole number of bytes"));
  EXPECT_TRUE(says(
      safetensors_refusal(
          R"({"test":{"dtype":"I32","shape":[2,4611686018427387904],"data_offsets":[0,16]}})", 16),
      "no whole number of bytes"));
  EXPECT_TRUE(
      says(safetensors_refusal(
               R"({"t":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})", 0),
           "no whole number of bytes"));
}

TEST(Safetensors, refuses_upstream_fp4_misaligned) {
  EXPECT_TRUE(
      says(safetensors_refusal(R"({"t":{"dtype":"F4","shape":[1,3],"data_offsets":[0,2]}})", 2),
           "no whole number of bytes"));
  EXPECT_EQ(accepted(R"({"t":{"dtype":"F4","shape":[1,4],"data_offsets":[0,2]}})", 2).size(), 1u);
}

// The attacks that other readers of the format have let through.

TEST(Safetensors, refuses_upstream_attack_1_header_longer_than_the_file) {
  std::string bytes = with_header(example, 16);
  bytes[0] = '\xE8';
  bytes[1] = '\x03';
  EXPECT_TRUE(says(safetensors_refusal(bytes), "announces a header of 1000 bytes, but only 76"));
}

TEST(Safetensors, refuses_header_lengths_around_integer_limits) {
  const std::string rest = with_header(example, 16).substr(8);
  for (const uint64_t length :
       {uint64_t{76} + 1, uint64_t{100'000'000}, uint64_t{100'000'001}, uint64_t{1} << 31,
        uint64_t{1} << 32, (uint64_t{1} << 63) - 1, uint64_t{1} << 63, ~uint64_t{0} - 8,
        ~uint64_t{0} - 7, ~uint64_t{0}}) {
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    EXPECT_TRUE(says(safetensors_refusal(bytes + rest), format("a header of {} bytes", length)));
  }
}

TEST(Safetensors, refuses_a_name_twice) {
  EXPECT_TRUE(says(safetensors_refusal(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                       R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                                       2),
                   "tensor \"a\" is there twice"));
  // Another spelling of the same string.
  EXPECT_TRUE(
      says(safetensors_refusal(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                               R"("\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                               2),
           "tensor \"a\" is there twice"));
}

TEST(Safetensors, refuses_a_key_twice_in_tensor_or_metadata) {
  EXPECT_TRUE(says(safetensors_refusal(
                       R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1),
                   "tensor \"a\": the key \"dtype\" is there twice"));
  EXPECT_TRUE(
      says(safetensors_refusal(
               R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[9,9],"data_offsets":[0,1]}})", 1),
           "is there twice"));
  EXPECT_TRUE(says(safetensors_refusal(R"({"__metadata__":{"a":"1","a":"2"}})", 0), "twice"));
  EXPECT_TRUE(says(safetensors_refusal(R"({"__metadata__":{},"__metadata__":{}})", 0), "twice"));
}

TEST(Safetensors, refuses_two_names_for_the_same_bytes) {
  EXPECT_TRUE(says(safetensors_refusal(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                                       R"("b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
                                       4),
                   "overlap"));
}

TEST(Safetensors, refuses_overlapping_tensors) {
  EXPECT_TRUE(says(safetensors_refusal(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                                       R"("b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}})",
                                       7),
                   "tensor \"b\" begins at byte 3, expected 4: the tensors overlap"));
}

TEST(Safetensors, refuses_holes) {
  EXPECT_TRUE(says(safetensors_refusal(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                                       R"("b":{"dtype":"U8","shape":[4],"data_offsets":[5,9]}})",
                                       9),
                   "leave a hole"));
  EXPECT_TRUE(
      says(safetensors_refusal(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[1,5]}})", 5),
           "leave a hole"));
}

TEST(Safetensors, refuses_bytes_without_tensors) {
  EXPECT_TRUE(says(safetensors_refusal("{}", 1), "the tensors take 0 bytes, but 1 bytes follow"));
}

TEST(Safetensors, refuses_offsets_that_are_no_range_of_naturals) {
  for (const char* offsets : {"[-1,0]",
                              "[0.0,1]",
                              "[0,1e0]",
                              "[0,1.5]",
                              "[-0,1]",
                              "[0,18446744073709551616]",
                              "[0,1e400]",
                              "[0]",
                              "[0,1,2]",
                              "[]",
                              "[\"0\",1]",
                              "[null,1]",
                              "[[0],1]",
                              "{}",
                              "1",
                              "null",
                              "true",
                              "[0,NaN]",
                              "[0,01]",
                              "[0,+1]",
                              "[0,0x1]",
                              "[1,0]",
                              "[0,9223372036854775808]",
                              "[18446744073709551615,18446744073709551615]"}) {
    const std::string header =
        format(R"({{"a":{{"dtype":"U8","shape":[1],"data_offsets":{}}}}})", offsets);
    EXPECT_TRUE(says(safetensors_refusal(header, 1), "")) << offsets;
  }
}

TEST(Safetensors, refuses_shapes_that_are_no_naturals) {
  for (const char* shape : {"[-1]", "[1.0]", "[1e0]", "[-0]", "[\"1\"]", "[null]", "[[1]]", "1",
                            "null", "{}", "[18446744073709551616]", "[true]", "[1,]"}) {
    const std::string header =
        format(R"({{"a":{{"dtype":"U8","shape":{},"data_offsets":[0,1]}}}})", shape);
    EXPECT_TRUE(says(safetensors_refusal(header, 1), "")) << shape;
  }
}

TEST(Safetensors, refuses_products_that_only_a_zero_keeps_small) {
  // 2^63 * 2 * 0: the number of elements is 0, but the strides overflow.
  EXPECT_TRUE(
      says(safetensors_refusal(
               R"({"a":{"dtype":"U8","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}})", 0),
           "no whole number of bytes"));
}

TEST(Safetensors, refuses_more_dimensions_than_any_tensor_has) {
  std::string ones = "1";
  for (int i = 0; i < 64; ++i) ones += ",1";
  EXPECT_TRUE(
      says(safetensors_refusal(
               format(R"({{"a":{{"dtype":"U8","shape":[{}],"data_offsets":[0,1]}}}})", ones), 1),
           "more than 64 dimensions"));
}

TEST(Safetensors, refuses_unknown_and_missing_dtypes) {
  for (const char* dtype : {"\"F128\"", "\"f32\"", "\"\"", "\"Q4_0\"", "null", "3", "[\"F32\"]"}) {
    const std::string header =
        format(R"({{"a":{{"dtype":{},"shape":[1],"data_offsets":[0,4]}}}})", dtype);
    EXPECT_TRUE(says(safetensors_refusal(header, 4), "tensor \"a\": ")) << dtype;
  }
  EXPECT_TRUE(says(safetensors_refusal(R"({"a":{"shape":[1],"data_offsets":[0,1]}})", 1),
                   "expected \"dtype\", \"shape\" and \"data_offsets\""));
}

TEST(Safetensors, refuses_unknown_keys_of_a_tensor) {
  EXPECT_TRUE(says(safetensors_refusal(
                       R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"payload":"x"}})", 1),
                   "unknown key \"payload\""));
}

TEST(Safetensors, refuses_metadata_that_is_no_map_of_strings) {
  for (const char* metadata : {"1", "null", "[]", "\"a\"", "{\"a\":1}", "{\"a\":null}",
                               "{\"a\":{}}", "{\"a\":[\"b\"]}", "{\"a\":true}"})
    EXPECT_TRUE(
        says(safetensors_refusal(format(R"({{"__metadata__":{}}})", metadata), 0), "__metadata__"))
        << metadata;
}

TEST(Safetensors, refuses_headers_that_are_no_object) {
  for (const char* header : {"", " ", "[]", "1", "null", "\"{}\"", "\xEF\xBB\xBF{}", "x{}"})
    EXPECT_TRUE(says(safetensors_refusal(header, 0), "begin with {")) << header;
  for (const char* header : {"{}{}", "{},", "{} x", "{'a':1}", "{\"a\":1,}", "{/**/}", "{a:1}"})
    EXPECT_TRUE(says(safetensors_refusal(header, 0), "")) << header;
  EXPECT_TRUE(says(safetensors_refusal(std::string_view("{}\0\0", 4), 0), "zero byte"));
}

TEST(Safetensors, refuses_deep_nesting_without_recursion) {
  EXPECT_TRUE(says(safetensors_refusal(R"({"a":)" + std::string(1'000'000, '['), 0), "\"a\""));
  std::string objects = "{";
  for (int i = 0; i < 100'000; ++i) objects += "\"a\":{";
  EXPECT_TRUE(says(safetensors_refusal(objects, 0), ""));
}

TEST(Safetensors, escapes_hostile_names_in_messages_and_cuts_them) {
  const std::string name = R"(\u001b[31m\u202e)" + std::string(100'000, 'x');
  const std::string message = safetensors_refusal(
      "{\"" + name + R"(":{"dtype":"U8","shape":[1],"data_offsets":[0,2]}})", 2);
  EXPECT_LT(message.size(), 400u);
  EXPECT_TRUE(says(message, R"("\u001b[31m\u202exxx)"));
}

TEST(Safetensors, names_the_kind_of_a_file_that_is_something_else) {
  EXPECT_TRUE(says(safetensors_refusal("PK\x03\x04" + std::string(100, 'x')), "a zip archive"));
  EXPECT_TRUE(
      says(safetensors_refusal("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a"),
           "Git LFS pointer"));
  EXPECT_TRUE(says(safetensors_refusal("<!DOCTYPE html><html></html>"), "an HTML page"));
}

TEST(Safetensors, refuses_folders_and_devices) {
  const TemporaryFolder folder;
  EXPECT_THROW(SafetensorsFile(folder.path()), Error);
  EXPECT_THROW(SafetensorsFile("/dev/zero"), Error);
  EXPECT_THROW(SafetensorsFile(folder / "missing"), Error);
}

TEST(Safetensors, reads_a_header_of_maximal_size) {
  std::string header = R"({"__metadata__":{"a":"b"}})";
  header.resize(max_safetensors_header, ' ');
  EXPECT_EQ(parse_safetensors_header(header, 0).metadata.at("a"), "b");
}

TEST(Safetensors, reads_many_tensors_in_linear_time) {  // a quadratic reader takes minutes
  std::string header = "{";
  for (int i = 0; i < 100'000; ++i)
    header += format(R"("w{}":{{"dtype":"U8","shape":[1],"data_offsets":[{},{}]}},)", i, i, i + 1);
  header.back() = '}';
  EXPECT_EQ(accepted(header, 100'000).size(), 100'000u);
}

/// Whether small files that announce everything too large are refused within a megabyte.
bool refuses_numbers_within_a_megabyte() {
  std::vector<std::string> files;
  for (const char* number : {"4294967296", "9223372036854775807", "18446744073709551615",
                             "18446744073709551616", "1e300", "-1"}) {
    for (const char* members : {R"("dtype":"F64","shape":[N],"data_offsets":[0,16])",
                                R"("dtype":"U8","shape":[N,N,N],"data_offsets":[0,16])",
                                R"("dtype":"U8","shape":[16],"data_offsets":[0,N])",
                                R"("dtype":"U8","shape":[16],"data_offsets":[N,N])"}) {
      std::string header = format("{{\"w\":{{{}}}}}", members);
      for (size_t at; (at = header.find('N')) != header.npos;) header.replace(at, 1, number);
      files.push_back(with_header(header, 16));
    }
  }
  for (const uint64_t length :
       {uint64_t{1} << 20, uint64_t{1} << 32, uint64_t{1} << 63, ~uint64_t{0}}) {
    files.push_back(with_header("{}", 16));
    std::memcpy(files.back().data(), &length, 8);
  }
  files.push_back(with_header(std::string(4096, '['), 16));
  files.push_back(with_header("{\"w\":" + std::string(4096, '{'), 16));
  files.push_back(with_header("\"" + std::string(4096, 'x'), 16));
  const TemporaryFolder folder;
  std::vector<fs::path> paths;
  for (const std::string& file : files) {
    paths.push_back(folder / format("{}.safetensors", paths.size()));
    write_file_atomic(paths.back(), file);
  }
  limit_address_space(1 << 20);
  const auto begin = std::chrono::steady_clock::now();
  for (const fs::path& path : paths)
    if (message_of([&] { SafetensorsFile opened(path); }).starts_with("no error")) return false;
  // Ten milliseconds each are promised; this is a hundred.
  return std::chrono::steady_clock::now() - begin < files.size() * std::chrono::milliseconds(100);
}

TEST(SafetensorsDeathTest, a_hostile_header_costs_no_memory_and_no_time) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer needs the address space";
#endif
  EXPECT_EXIT(std::_Exit(refuses_numbers_within_a_megabyte() ? 0 : 1), testing::ExitedWithCode(0),
              "");
}

TEST(Safetensors, a_tensor_of_another_file_is_refused) {
  const TemporaryFolder folder;
  std::ofstream(folder / "a", std::ios::binary) << with_header(example, 16);
  const SafetensorsFile file(folder / "a");
  TensorInfo other = file.at("test");
  EXPECT_EQ(file.data(other).size(), 16u);
  other.offset = 1;
  EXPECT_THROW(file.data(other), Error);
  other.offset = ~uint64_t{0};
  EXPECT_THROW(file.data(other), Error);
}

TEST(Safetensors, a_missing_name_is_answered_with_the_nearest) {
  const TemporaryFolder folder;
  std::ofstream(folder / "a", std::ios::binary) << with_header(example, 16);
  const SafetensorsFile file(folder / "a");
  EXPECT_EQ(file.find("tset"), nullptr);
  EXPECT_TRUE(says(message_of([&] { file.at("tset"); }), "the nearest is \"test\""));
}

}  // namespace
}  // namespace lathe
