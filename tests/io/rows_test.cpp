#include "lathe/io/rows.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

class OpenRows : public testing::Test {
 protected:
  std::filesystem::path put(const std::string& name, std::string_view content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }
  size_t count(const std::filesystem::path& path) {
    const auto rows = open_rows(path, {"a"});
    size_t result = 0;
    while (const auto row = rows->next()) result += (*row)["a"].get<size_t>();
    return result;
  }
  std::string refusal(const std::string& name, std::string_view content) {
    return message_of([&] { count(put(name, content)); });
  }

  TemporaryFolder folder_;
};

TEST_F(OpenRows, json_lines_by_any_of_their_extensions) {
  for (const char* name : {"x.jsonl", "x.ndjson", "x.json", "x.JSONL"})
    EXPECT_EQ(count(put(name, "\n{\"a\":1}\n{\"a\":2}\n")), 3u) << name;
  EXPECT_EQ(count(put("x.jsonl", "")), 0u);
}

TEST_F(OpenRows, are_known_by_the_extension_in_letters_of_either_case) {
  for (const char* name : {"a.jsonl", "a.JSONL", "a.NdJson", "a.json", "a.Parquet"})
    EXPECT_TRUE(is_table(name)) << name;
  for (const char* name : {"a.txt", "jsonl", "a.jsonl.txt", ""}) EXPECT_FALSE(is_table(name));
}

TEST_F(OpenRows, an_array_in_a_json_file) {
  EXPECT_EQ(count(put("x.json", "\xEF\xBB\xBF \n[\n {\"a\":1},\n {\"a\":2}\n]\n")), 3u);
  EXPECT_TRUE(says(refusal("x.jsonl", "[{\"a\":1}]"), "x.jsonl:1: expected a JSON object"));
}

TEST_F(OpenRows, content_of_another_kind_is_refused) {
  EXPECT_TRUE(
      says(refusal("x.jsonl", "PAR1...."), "expected JSON, as the name says, found a Parq"));
  EXPECT_TRUE(says(refusal("x.json", "\x1F\x8B\x08"), "found gzip-compressed data"));
  EXPECT_TRUE(says(refusal("x.parquet", "{\"a\":1}"), "expected a Parquet file"));
  EXPECT_TRUE(says(refusal("x.parquet", ""), "found something else"));
}

TEST_F(OpenRows, other_extensions_are_refused) {
  EXPECT_TRUE(says(refusal("x.csv", "a\n1\n"), "found \".csv\""));
  EXPECT_TRUE(says(refusal("x", "{}"), "found a name without extension"));
  EXPECT_THROW(open_rows(folder_ / "missing.jsonl"), Error);
  EXPECT_THROW(open_rows(folder_.path()), Error);
}

}  // namespace
}  // namespace lathe
