#include "lathe/io/gguf.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tests/io/gguf_bytes.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

fs::path golden(const char* name) {
  return fs::path(LATHE_TEST_DATA) / "golden/gguf" / name;
}

std::vector<float> numbers(const GgufFile& file, const char* name) {
  std::vector<std::byte> scratch;
  const auto bytes = file.data(file.at(name), scratch);
  std::vector<float> out(bytes.size() / sizeof(float));
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

fs::path file_of(const TemporaryFolder& folder, const GgufBytes& bytes) {
  write_file_atomic(folder / "x.gguf", bytes.text());
  return folder / "x.gguf";
}

TEST(Gguf, reads_what_the_gguf_package_wrote) {
  for (const char* name : {"types.gguf", "version2.gguf"}) {
    const GgufFile file(golden(name));
    const GgufMetadata& fields = file.fields();
    EXPECT_EQ(file.version(), name[0] == 't' ? 3u : 2u);
    EXPECT_EQ(fields.get_string("general.architecture"), "llama");
    EXPECT_EQ(fields.get_string("general.name"), "Ein schöner Name");
    EXPECT_EQ(fields.get_int("u32"), 4294967295);
    EXPECT_EQ(fields.get_int("i64"), std::numeric_limits<int64_t>::min());
    EXPECT_EQ(fields.get_number("f32"), double{0.1F});
    EXPECT_EQ(fields.get_number("f64"), 0.1);
    EXPECT_TRUE(fields.get_bool("yes"));
    EXPECT_FALSE(fields.get_bool("no"));
    EXPECT_EQ(fields.get_ints("ints"), (std::vector<int64_t>{1, -2, 3}));
    EXPECT_EQ(fields.get_numbers("floats"), (std::vector<double>{0.5, -1.5}));
    EXPECT_EQ(fields.get_bools("bools"), (std::vector<bool>{true, false, true}));
    const GgufStrings strings = fields.get_strings("strings");
    EXPECT_EQ(std::vector<std::string>(strings.begin(), strings.end()),
              (std::vector<std::string>{"", "a", "héllo\n", std::string(300, 'x')}));
  }
}

TEST(Gguf, lists_tensors_row_major_with_their_stored_types) {
  const GgufFile file(golden("types.gguf"));
  std::vector<std::string> names;
  for (const TensorInfo& tensor : file.tensors()) names.push_back(tensor.name);
  EXPECT_EQ(names, (std::vector<std::string>{"a.q8", "b.q4", "brain", "count", "half", "vector",
                                             "z.weight"}));
  EXPECT_EQ(file.at("z.weight").shape, (std::vector<int64_t>{2, 3, 64}));
  EXPECT_EQ(file.at("a.q8").shape, (std::vector<int64_t>{2, 3, 64}));
  EXPECT_EQ(file.at("a.q8").dtype, DType::F32);
  EXPECT_EQ(file.at("a.q8").bytes, 2u * 3 * 64 * 4);
  EXPECT_EQ(file.stored_type(file.at("a.q8")), "Q8_0");
  EXPECT_EQ(file.stored_bytes(file.at("a.q8")), 2u * 3 * 2 * 34);
  EXPECT_EQ(file.at("half").dtype, DType::F16);
  EXPECT_EQ(file.stored_type(file.at("half")), "F16");
  EXPECT_EQ(file.at("brain").dtype, DType::BF16);
  EXPECT_EQ(file.at("count").dtype, DType::I32);
}

TEST(Gguf, plain_numbers_are_a_view_and_blocks_are_decoded) {
  const GgufFile file(golden("types.gguf"));
  std::vector<std::byte> scratch;
  file.data(file.at("z.weight"), scratch);
  EXPECT_TRUE(scratch.empty());
  const std::vector<float> exact = numbers(file, "z.weight");
  EXPECT_EQ(exact.at(65), 65 / 64.0F);
  const std::vector<float> rounded = numbers(file, "a.q8");
  ASSERT_EQ(rounded.size(), exact.size());
  for (size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(rounded[i], exact[i], 6 / 127.0);
  EXPECT_EQ(numbers(file, "vector"), (std::vector<float>{1, 2, 3, 4, 5}));
}

TEST(Gguf, metadata_for_people_has_text_as_it_is_and_arrays_by_length) {
  const GgufFile file(golden("types.gguf"));
  EXPECT_EQ(file.metadata().at("general.name"), "Ein schöner Name");
  EXPECT_EQ(file.metadata().at("strings"), "array of 4 string");
  EXPECT_EQ(file.metadata().at("u16"), "65535");
  EXPECT_EQ(file.metadata().at("no"), "0");
}

TEST(Gguf, errors_begin_with_the_path) {
  const TemporaryFolder folder;
  const fs::path path = file_of(folder, GgufBytes(0, 0, 9));
  EXPECT_TRUE(message_of([&] {
                GgufFile file(path);
              }).starts_with("reading " + path.string() + ": GGUF version 9"));
  EXPECT_THROW(GgufFile(folder.path()), Error);
  EXPECT_THROW(GgufFile("/dev/zero"), Error);
}

TEST(Gguf, a_file_of_something_else_is_named) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "x", "PK\x03\x04" + std::string(100, 'x'));
  EXPECT_TRUE(says(message_of([&] { GgufFile file(folder / "x"); }), "a zip archive"));
}

TEST(Gguf, a_format_that_cannot_be_decoded_is_listed_and_refused_when_asked_for) {
  const TemporaryFolder folder;
  const GgufFile file(file_of(folder, GgufBytes(1, 0).tensor("t", {256}, 16, 0).data(66)));
  EXPECT_EQ(file.stored_type(file.at("t")), "IQ2_XXS");
  EXPECT_EQ(file.stored(file.at("t")).size(), 66u);
  EXPECT_TRUE(says(message_of([&] { numbers(file, "t"); }), "tensor \"t\": numbers of the format"));
}

TEST(Gguf, a_tensor_of_another_file_is_refused) {
  const GgufFile file(golden("types.gguf"));
  std::vector<std::byte> scratch;
  TensorInfo other = file.at("vector");
  other.offset = ~uint64_t{0} - 8;
  EXPECT_THROW(file.data(other, scratch), Error);
  other.name = "none";
  EXPECT_THROW(file.data(other, scratch), Error);
}

GgufTensorView view(const std::string& name, const char* format, std::vector<int64_t> shape,
                    const std::string& bytes) {
  return {name, &block_format(format), std::move(shape),
          [&bytes] { return std::as_bytes(std::span(bytes)); }};
}

TEST(GgufWrite, what_is_written_is_read_back) {
  const TemporaryFolder folder;
  GgufFields fields;
  fields.put_string("general.architecture", "llama");
  fields.put_uint32("u", 7);
  fields.put_uint64("U", ~uint64_t{0});
  fields.put_float32("f", 0.5F);
  fields.put_bool("b", true);
  fields.put_strings("s", std::vector<std::string>{"a", "", "ß"});
  fields.put_int32s("i", std::vector<int32_t>{-1, 2});
  fields.put_float32s("fs", std::vector<float>{0.25F});
  fields.put_bools("bs", {false, true});
  const GgufFile golden_file(golden("types.gguf"));
  for (const char* key : {"strings", "f64", "general.name"})
    fields.put(*golden_file.fields().find(key));
  const std::string one(12, '1'), blocks(34, '2');
  write_gguf(folder / "x", fields,
             std::vector{view("one", "F32", {1, 3}, one), view("blocks", "Q8_0", {32}, blocks)});
  const GgufFile file(folder / "x");
  EXPECT_EQ(file.fields().get_int("u"), 7);
  EXPECT_EQ(file.fields().get_number("f"), 0.5);
  EXPECT_TRUE(file.fields().get_bool("b"));
  EXPECT_EQ(file.fields().get_ints("i"), (std::vector<int64_t>{-1, 2}));
  EXPECT_EQ(file.fields().get_bools("bs"), (std::vector<bool>{false, true}));
  EXPECT_EQ(file.fields().get_strings("strings").size(), 4u);
  EXPECT_EQ(file.fields().get_string("general.name"), "Ein schöner Name");
  EXPECT_EQ(file.at("one").shape, (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(file.stored(file.at("blocks"))[33], std::byte{'2'});
  EXPECT_EQ(fs::file_size(folder / "x") % 32, 0u);
}

TEST(GgufWrite, a_rewritten_file_is_the_file_itself) {
  const TemporaryFolder folder;
  const GgufFile file(golden("types.gguf"));
  GgufFields fields;
  // The package writes in the order of its calls, which offsets and addresses tell.
  std::vector<GgufEntry> entries(file.fields().entries().begin(), file.fields().entries().end());
  std::ranges::sort(entries, {}, [](const GgufEntry& entry) { return entry.data.data(); });
  for (const GgufEntry& entry : entries) fields.put(entry);
  std::vector<TensorInfo> tensors(file.tensors().begin(), file.tensors().end());
  std::ranges::sort(tensors, {}, &TensorInfo::offset);
  std::vector<GgufTensorView> views;
  views.reserve(tensors.size());
  for (const TensorInfo& tensor : tensors)
    views.push_back({tensor.name, &file.format_of(tensor), tensor.shape,
                     [&file, &tensor] { return file.stored(tensor); }});
  write_gguf(folder / "x", fields, views);
  EXPECT_EQ(read_file(folder / "x"), read_file(golden("types.gguf")));
}

TEST(GgufWrite, refuses_what_no_reader_would_accept) {
  const TemporaryFolder folder;
  const std::string four(4, 'x');
  const auto refusal = [&](std::vector<GgufTensorView> tensors) {
    return message_of([&] { write_gguf(folder / "x", GgufFields(), tensors); });
  };
  EXPECT_TRUE(says(refusal({view("a", "F32", {2}, four)}),
                   "tensor \"a\": F32 (2) takes 8 bytes, given are 4"));
  EXPECT_TRUE(says(refusal({view("a", "F32", {1}, four), view("a", "F32", {1}, four)}), "twice"));
  EXPECT_TRUE(says(refusal({view("", "F32", {1}, four)}), "of 1 to 63 bytes"));
  EXPECT_TRUE(says(refusal({view("a", "Q8_0", {31}, four)}), "rows of whole blocks of 32"));
  EXPECT_TRUE(says(refusal({view("a", "F32", {1, 1, 1, 1, 1}, four)}), "at most 4 dimensions"));
  EXPECT_TRUE(fs::is_empty(folder.path()));
  GgufFields fields;
  fields.put_bool("k", true);
  EXPECT_TRUE(says(message_of([&] { fields.put_uint32("k", 1); }), "the key \"k\" is given twice"));
  EXPECT_THROW(fields.put_bool("", true), Error);
  EXPECT_THROW(fields.put_bool("\xff", true), Error);
}

}  // namespace
}  // namespace lathe
