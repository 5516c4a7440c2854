#include "lathe/io/parquet.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "lathe/base/file.h"
#include "lathe/base/random.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

using nlohmann::json;

const fs::path golden_tables = fs::path(LATHE_TEST_DATA) / "golden/parquet";

std::vector<json> read_all(const fs::path& path, const std::vector<std::string>& columns = {}) {
  const std::unique_ptr<Rows> rows = open_parquet(path, columns);
  std::vector<json> all;
  while (std::optional<json> row = rows->next()) all.push_back(std::move(*row));
  EXPECT_FALSE(rows->next());
  return all;
}

std::string error_of(const fs::path& path, const std::vector<std::string>& columns = {}) {
  return message_of([&] { read_all(path, columns); });
}

/// Not synced to the disk, unlike what the library writes: some tests write hundreds of files.
void write_quickly(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

TEST(Parquet, reads_every_type_as_json) {
  const std::string text = read_file(golden_tables / "types.jsonl");
  const std::vector<json> rows = read_all(golden_tables / "types.parquet");
  ASSERT_EQ(rows.size(), 3u);
  size_t begin = 0;
  for (const json& row : rows) {
    const size_t end = text.find('\n', begin);
    const json expected = json::parse(text.substr(begin, end - begin));
    for (const auto& [name, value] : expected.items()) EXPECT_EQ(row.at(name), value) << name;
    EXPECT_EQ(row.size(), expected.size());
    begin = end + 1;
  }
}

TEST(Parquet, reads_only_the_columns_asked_for) {
  const std::vector<json> rows = read_all(golden_tables / "types.parquet", {"messages", "text"});
  EXPECT_EQ(rows[0].size(), 2u);
  EXPECT_EQ(rows[0].at("messages").at(0), (json{{"role", "user"}, {"content", "Hi"}}));
}

TEST(Parquet, reads_row_groups_of_every_codec_and_both_page_versions) {
  for (const std::string name : {"none", "snappy", "gzip", "zstd", "lz4", "pages2"}) {
    const std::vector<json> rows = read_all(golden_tables / (name + ".parquet"));
    ASSERT_EQ(rows.size(), 1000u) << name;
    for (int i = 0; i < 1000; ++i)
      ASSERT_EQ(rows[static_cast<size_t>(i)],
                (json{{"n", i}, {"text", "row " + std::to_string(i % 7)}}))
          << name;
  }
}

TEST(Parquet, says_that_a_codec_is_not_supported) {
  EXPECT_TRUE(says(error_of(golden_tables / "brotli.parquet"), "rotli"));
}

TEST(Parquet, reads_a_file_without_rows) {
  EXPECT_TRUE(read_all(golden_tables / "empty.parquet").empty());
}

TEST(Parquet, numbers_that_json_does_not_have_are_null) {
  const std::vector<json> rows = read_all(golden_tables / "not_finite.parquet");
  EXPECT_TRUE(rows[0].at("x").is_null());
  EXPECT_TRUE(rows[1].at("x").is_null());
  EXPECT_EQ(rows[2].at("x"), 1.0);
}

TEST(Parquet, names_the_columns_found_if_one_is_missing) {
  const std::string message = error_of(golden_tables / "snappy.parquet", {"txet"});
  EXPECT_TRUE(
      says(message, "snappy.parquet: expected a column \"txet\", found the columns n, text"));
}

TEST(Parquet, refuses_bytes_that_are_no_text_unless_not_asked_for) {
  EXPECT_TRUE(
      says(error_of(golden_tables / "binary.parquet"), "row 0: column \"image\": expected text"));
  EXPECT_EQ(read_all(golden_tables / "binary.parquet", {"text"}).size(), 2u);
}

TEST(Parquet, refuses_files_of_other_kinds) {
  const TemporaryFolder folder;
  EXPECT_TRUE(says(error_of(folder / "missing.parquet"), "No such file"));
  for (const std::string content : {"", "PAR1", "{\"text\": 1}\n", "PAR1PAR1PAR1"}) {
    write_quickly(folder / "x.parquet", content);
    EXPECT_TRUE(says(error_of(folder / "x.parquet"), "x.parquet")) << content;
  }
  write_quickly(folder / "x.parquet", "PAR1\xff\xff\xff\x7fPAR1");
  EXPECT_TRUE(says(error_of(folder / "x.parquet"), "cut off"));
}

TEST(Parquet, refuses_a_schema_nested_without_end) {
  // FileMetaData {1: version 2, 2: schema [100,000 x {4: name "a", 5: num_children 1}]}
  std::string footer = "\x15\x04\x19\xfc";
  footer += "\xa0\x8d\x06";
  for (int i = 0; i < 100'000; ++i) footer += std::string("\x48\x01\x61\x15\x02\x00", 6);
  footer += '\0';
  const auto size = static_cast<uint32_t>(footer.size());
  std::string file = "PAR1" + footer;
  for (int i = 0; i < 4; ++i) file += static_cast<char>(size >> (8 * i));
  const TemporaryFolder folder;
  write_quickly(folder / "x.parquet", file + "PAR1");
  EXPECT_TRUE(says(error_of(folder / "x.parquet"), "nested more than 64 deep"));
}

TEST(Parquet, refuses_every_cut_of_a_file) {
  const std::string whole = read_file(golden_tables / "not_finite.parquet");
  const TemporaryFolder folder;
  for (size_t size = 0; size < whole.size(); size += 1 + size % 7) {
    write_quickly(folder / "x.parquet", whole.substr(0, size));
    EXPECT_NE(error_of(folder / "x.parquet"), "no error") << size;
  }
}

TEST(Parquet, damaged_bytes_end_in_rows_or_an_error_that_names_the_file) {
  const TemporaryFolder folder;
  Random random(7);
  for (const std::string name : {"types", "pages2", "lz4"}) {
    const std::string whole = read_file(golden_tables / (name + ".parquet"));
    for (int round = 0; round < 200; ++round) {
      std::string damaged = whole;
      for (uint64_t i = 0; i <= random.below(4); ++i)
        damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
      // Half of the damage in the footer.
      if (round % 2) damaged[damaged.size() - 9 - random.below(700)] ^= 1 << random.below(8);
      write_quickly(folder / "x.parquet", damaged);
      const std::string message = error_of(folder / "x.parquet");
      EXPECT_TRUE(message == "no error" || says(message, "x.parquet: ")) << message;
    }
  }
}

}  // namespace
}  // namespace lathe
