#include "lathe/data/documents.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/data/fixture.h"

namespace lathe {
namespace {

struct DocumentsTest : testing::Test {
  TemporaryFolder folder;
  DocumentReport report;

  std::string write(const std::string& name, std::string_view text) {
    write_text(folder / name, text);
    return (folder / name).string();
  }
  /// The documents of a source, whole; what was left out goes to `report`.
  std::vector<std::string> read(const DataSource& source) {
    DocumentReader reader(source_files(source), source);
    std::vector<std::string> documents;
    std::string text;
    while (const auto piece = reader.next()) {
      if (piece->begins || piece->withdrawn) text.clear();
      text += piece->text;
      if (piece->ends && !piece->withdrawn) documents.push_back(text);
    }
    report = reader.report();
    return documents;
  }
  std::vector<std::string> examples(SkipReason reason) const {
    std::vector<std::string> names;
    for (const std::string& example : report[reason].examples)
      names.push_back(fs::path(example).filename().string());
    return names;
  }
};

using Texts = std::vector<std::string>;

TEST_F(DocumentsTest, a_text_file_is_a_document) {
  write("in/b.txt", "second\r\n\r\nend");
  write("in/a/deep.md",
        "\xEF\xBB\xBF"
        "first \xE2\x82\xAC\n");
  EXPECT_EQ(read({.path = (folder / "in").string()}), (Texts{"first €\n", "second\r\n\r\nend"}));
  EXPECT_EQ(report.total_skipped(), 0U);
}

TEST_F(DocumentsTest, a_line_can_begin_a_document) {
  const std::string path = write("tunes.abc", "% head\n\nX:1\nabc\n\nX:2\nX: 3\ncX:4\n");
  EXPECT_EQ(read({.path = path, .document_start = "X:"}),
            (Texts{"% head\n\n", "X:1\nabc\n\n", "X:2\n", "X: 3\ncX:4\n"}));
}

TEST_F(DocumentsTest, a_large_document_comes_in_pieces_that_make_it_up) {
  std::string large;
  while (large.size() < 5'000'000) large += format("line {} \xE2\x82\xAC\n", large.size());
  const std::string path = write("large.txt", large);
  EXPECT_EQ(read({.path = path}), (Texts{large}));
  DocumentReader reader({path}, {.path = path});
  size_t pieces = 0;
  while (const auto piece = reader.next()) {
    EXPECT_LE(piece->text.size(), size_t{1} << 20);
    ++pieces;
  }
  EXPECT_GE(pieces, 5U);
  const nlohmann::json row = {{"text", large}};
  EXPECT_EQ(read({.path = write("large.jsonl", row.dump() + "\n{\"text\":\"x\"}")}),
            (Texts{large, "x"}));
}

TEST_F(DocumentsTest, columns_of_tables) {
  const std::string path = write("a.jsonl",
                                 "{\"text\":\"t1\",\"body\":\"b1\"}\n\n"
                                 "{\"body\":\"b2 \\u20ac\",\"text\":\"t2\"}\n");
  EXPECT_EQ(read({.path = path}), (Texts{"t1", "t2"}));
  EXPECT_EQ(read({.path = path, .column = "body"}), (Texts{"b1", "b2 €"}));
}

TEST_F(DocumentsTest, columns_of_parquet) {
  const std::string golden = LATHE_TEST_DATA "/golden/parquet/";
  const Texts documents = read({.path = golden + "snappy.parquet"});
  ASSERT_EQ(documents.size(), 1000U);
  EXPECT_EQ(documents[0], "row 0");
  EXPECT_EQ(documents[999], "row 5");
  EXPECT_TRUE(says(message_of([&] { read({.path = golden + "snappy.parquet", .column = "body"}); }),
                   "snappy.parquet:1: expected the column \"body\", found \"n\", \"text\""));
  read({.path = golden + "snappy.parquet", .column = "n"});
  EXPECT_EQ(report[SkipReason::no_text].count, 1000U);
}

TEST_F(DocumentsTest, a_missing_column_is_an_error_with_those_there_are) {
  const std::string path = write("a.jsonl", "{\"content\":\"t1\",\"id\":1}\n");
  const std::string message = message_of([&] { read({.path = path}); });
  EXPECT_TRUE(says(message, "a.jsonl:1: expected the column \"text\", found \"content\", \"id\""));
}

TEST_F(DocumentsTest, empty_documents_are_left_out_and_counted) {
  write("in/a.txt", "");
  write("in/b.txt", " \n\t\r\n");
  write("in/c.txt", "text");
  write("in/d.jsonl", "");
  write("in/e.jsonl", "{\"text\":\"\"}\n{\"text\":\"x\"}\n{\"text\":\" \\n\"}\n");
  EXPECT_EQ(read({.path = (folder / "in").string()}), (Texts{"text", "x"}));
  EXPECT_EQ(report[SkipReason::empty].count, 5U);
  EXPECT_EQ(examples(SkipReason::empty),
            (Texts{"a.txt", "b.txt:1", "d.jsonl", "e.jsonl:1", "e.jsonl:3"}));
  EXPECT_EQ(report.total_skipped(), 5U);
}

TEST_F(DocumentsTest, invalid_utf8_is_left_out_and_counted) {
  write("in/a.txt", "latin \xE9t\xE9");
  write("in/b.txt", "good");
  write("in/c.abc",
        "X:1\nok\nX:2\nb\xFF"
        "ad\nX:3\nfine\n");
  EXPECT_EQ(read({.path = (folder / "in").string(), .document_start = "X:"}),
            (Texts{"good", "X:1\nok\n", "X:3\nfine\n"}));
  EXPECT_EQ(report[SkipReason::invalid_utf8].count, 2U);
  EXPECT_EQ(examples(SkipReason::invalid_utf8), (Texts{"a.txt:1", "c.abc:3"}));
}

TEST_F(DocumentsTest, a_large_document_that_ends_badly_is_withdrawn) {
  std::string large(3'000'000, 'a');
  const std::string path = write("x.txt", "D one\nD " + large + "\xC3\nD three\nD " + large + "\n");
  const Texts documents = read({.path = path, .document_start = "D "});
  EXPECT_EQ(documents, (Texts{"D one\n", "D three\n", "D " + large + "\n"}));
  EXPECT_EQ(report[SkipReason::invalid_utf8].count, 1U);
  EXPECT_EQ(examples(SkipReason::invalid_utf8), (Texts{"x.txt:2"}));
}

TEST_F(DocumentsTest, a_cell_without_text_is_left_out_and_counted) {
  const std::string path =
      write("a.jsonl", "{\"text\":null}\n{\"text\":\"x\"}\n{\"text\":7}\n{\"text\":[\"x\"]}\n");
  EXPECT_EQ(read({.path = path}), (Texts{"x"}));
  EXPECT_EQ(examples(SkipReason::no_text), (Texts{"a.jsonl:1", "a.jsonl:3", "a.jsonl:4"}));
}

TEST_F(DocumentsTest, only_the_first_examples_are_kept) {
  std::string rows;
  for (int i = 0; i < 1000; ++i) rows += "{\"text\":\"\"}\n";
  read({.path = write("a.jsonl", rows)});
  EXPECT_EQ(report[SkipReason::empty].count, 1000U);
  EXPECT_EQ(report[SkipReason::empty].examples.size(), 5U);
}

TEST_F(DocumentsTest, refuses_what_no_source_can_be) {
  const auto message = [&](const DataSource& source) {
    return message_of([&] { source_files(source); });
  };
  const std::string path = write("a.txt", "x");
  EXPECT_TRUE(says(message({.path = ""}), "expected a path"));
  EXPECT_TRUE(says(message({.path = path + "x"}), "no such file or folder"));
  EXPECT_TRUE(says(message({.path = (folder / "*.md").string()}), "no file matches"));
  for (const double weight : {0.0, -0.5, std::nan(""), HUGE_VAL})
    EXPECT_TRUE(says(message({.path = path, .weight = weight}), "weight: expected a number > 0"));
  EXPECT_TRUE(says(message({.path = path, .document_start = "a\nb"}), "document_start"));
}

TEST(DocumentReport, survives_json_and_adds_up) {
  DocumentReport report;
  report.documents = 3;
  report.text_bytes = 50;
  report.skip(SkipReason::empty, "a.txt", 0);
  report.skip(SkipReason::invalid_utf8, "b.txt", 7);
  report.merged_prompts.add("c.jsonl", 2);
  DocumentReport sum = report_from_json(to_json(report));
  EXPECT_EQ(to_json(sum), to_json(report));
  sum += report;
  EXPECT_EQ(sum.documents, 6U);
  EXPECT_TRUE(sum.summary().starts_with(
      "6 documents, 100 bytes; left out 4: 2 empty (a.txt, a.txt); 2 not UTF-8 (b.txt:7, b.txt:7); "
      "2 prompts end inside a token (c.jsonl:2, c.jsonl:2), "));
  nlohmann::json bad = to_json(report);
  bad["skipped"].erase("empty");
  EXPECT_THROW(report_from_json(bad), Error);
}

}  // namespace
}  // namespace lathe
