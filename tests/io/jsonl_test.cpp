#include "lathe/io/jsonl.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "lathe/io/line_reader.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

using nlohmann::json;

std::vector<json> all(Rows& rows) {
  std::vector<json> result;
  while (auto row = rows.next()) result.emplace_back(*row);
  EXPECT_FALSE(rows.next().has_value());
  return result;
}

class Jsonl : public testing::Test {
 protected:
  std::vector<json> read(std::string_view content, const std::vector<std::string>& columns = {},
                         size_t line_limit = size_t{64} << 20) {
    put(content);
    return all(*open_jsonl(path_, columns, line_limit));
  }
  /// The message, without the "reading PATH" that it must begin with.
  std::string refusal(std::string_view content, const std::vector<std::string>& columns = {},
                      size_t line_limit = size_t{64} << 20) {
    const std::string message = message_of([&] { read(content, columns, line_limit); });
    const size_t at = message.find(path_.string());
    return at == message.npos ? "no error with the path: " + message
                              : message.substr(at + path_.string().size());
  }
  void put(std::string_view content) { std::ofstream(path_, std::ios::binary) << content; }

  TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "data.jsonl";
};

TEST_F(Jsonl, reads_rows_between_empty_lines_whatever_ends_a_line) {
  const std::vector<json> expected = {{{"a", 1}}, {{"a", 2}}, {{"a", 3}}};
  EXPECT_EQ(read("{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n"), expected);
  EXPECT_EQ(read("{\"a\":1}\r\n{\"a\":2}\r\n{\"a\":3}"), expected);
  EXPECT_EQ(read("\xEF\xBB\xBF{\"a\":1}\n\n  \t\n{\"a\":2}\n\r\n{\"a\":3}\n\n"), expected);
  EXPECT_TRUE(read("").empty());
  EXPECT_TRUE(read("\n\n").empty());
  EXPECT_TRUE(read("\xEF\xBB\xBF").empty());
}

TEST_F(Jsonl, rows_of_any_length_come_whole_across_buffers) {
  std::string content;
  std::vector<json> expected;
  for (size_t i = 0; i < 60; ++i) {
    const json row = {{"i", i}, {"text", std::string(i * i * i * 5, 'x')}};
    content += row.dump() + (i % 2 == 0 ? "\n" : "\r\n");
    expected.push_back(row);
  }
  EXPECT_EQ(read(content), expected);
}

TEST_F(Jsonl, a_missing_column_is_named_with_the_columns_there) {
  const std::string rows = "{\"text\":1}\n\n{\"prompt\":1,\"completion\":2}\n";
  EXPECT_EQ(refusal(rows, {"text"}),
            ":3: expected the column \"text\", found \"prompt\", \"completion\"");
  EXPECT_EQ(refusal("{}", {"text"}), ":1: expected the column \"text\", found no columns");
  EXPECT_EQ(read(rows).size(), 2u);
}

TEST_F(Jsonl, a_line_that_is_no_object_is_named) {
  EXPECT_TRUE(says(refusal("{}\n[1]\n"), ":2: expected a JSON object, found an array"));
  EXPECT_TRUE(says(refusal("{}\n\"x\"\n"), ":2: expected a JSON object, found \"x\""));
  EXPECT_TRUE(says(refusal("{}\n{\"a\":}\n"), ":2: line 1, column 6: invalid JSON"));
  EXPECT_TRUE(says(refusal("{\"a\":1,\"a\":2}\n"), ":1: line 1, column 13: the key"));
  EXPECT_TRUE(says(refusal("{\"a\":1} {\"a\":2}\n"), ":1: "));
  EXPECT_TRUE(says(refusal("{\n  \"a\": 1\n}\n"), ":1: expected one whole JSON object a line"));
}

TEST_F(Jsonl, invalid_utf8_is_refused_where_it_is) {
  EXPECT_TRUE(says(refusal("{}\n{\"a\":\"\xE9t\xE9\"}\n"), ":2: invalid UTF-8 at byte 7"));
}

TEST_F(Jsonl, a_line_beyond_the_limit_is_refused_without_reading_on) {
  EXPECT_EQ(read("{\"a\":1}\n", {}, 7).size(), 1u);
  EXPECT_TRUE(says(refusal("{}\n{\"a\":12}\n", {}, 7), ":2: expected at most 7 bytes in a line"));
  EXPECT_TRUE(says(refusal("{}\n" + std::string(3'000'000, ' '), {}, 1000), ":2: "));
}

TEST_F(Jsonl, files_of_another_kind_are_named) {
  EXPECT_TRUE(says(refusal("PAR1\x15\x04"), "it looks like a Parquet file"));
  EXPECT_TRUE(says(refusal("\x1F\x8B\x08"), "it looks like gzip-compressed data"));
  EXPECT_TRUE(says(refusal("\xFF\xFE{"), "UTF-16 text: save it as UTF-8"));
  EXPECT_THROW(open_jsonl(folder_.path()), Error);
  EXPECT_THROW(open_jsonl("/dev/zero"), Error);
  EXPECT_THROW(open_jsonl(folder_ / "missing"), Error);
}

TEST_F(Jsonl, deep_nesting_in_a_row_is_refused) {
  EXPECT_TRUE(says(refusal("{\"a\":" + std::string(100'000, '[')), "deeper than 128"));
}

TEST_F(Jsonl, an_array_of_objects_is_read_as_rows) {
  put("[{\"a\":1},\n {\"a\":2}]\n");
  EXPECT_EQ(all(*open_json_array(path_, {"a"})), (std::vector<json>{{{"a", 1}}, {{"a", 2}}}));
  const auto refusal_of = [&](std::string_view content, size_t limit = 1000) {
    put(content);
    return message_of([&] { all(*open_json_array(path_, {"a"}, limit)); });
  };
  EXPECT_TRUE(says(refusal_of("[{\"a\":1},{\"b\":1}]"), ", row 2: expected the column \"a\""));
  EXPECT_TRUE(says(refusal_of("[1]"), ", row 1: expected a JSON object, found 1"));
  EXPECT_TRUE(says(refusal_of("{}"), "expected an array of objects"));
  EXPECT_TRUE(says(refusal_of("[{\"a\":1}]", 8), "call it .jsonl"));
}

TEST(LineReader, counts_lines_and_keeps_their_spaces) {
  const TemporaryFolder folder;
  std::ofstream(folder / "a") << " one \n\ntwo\r\r\nlast";
  LineReader reader(folder / "a", 100);
  EXPECT_EQ(reader.next(), " one ");
  EXPECT_EQ(reader.next(), "");
  EXPECT_EQ(reader.next(), "two\r");
  EXPECT_EQ(reader.line(), 3u);
  EXPECT_EQ(reader.next(), "last");
  EXPECT_EQ(reader.place(), (folder / "a").string() + ":4");
  EXPECT_EQ(reader.next(), std::nullopt);
}

}  // namespace
}  // namespace lathe
