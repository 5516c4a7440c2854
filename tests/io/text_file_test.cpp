#include "lathe/io/text_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <vector>

#include "lathe/base/random.h"
#include "lathe/io/utf8.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

class TextFileTest : public testing::Test {
 protected:
  /// The documents, each with its pieces separated by "|".
  std::vector<std::string> read(std::string_view content, const TextOptions& options = {}) {
    std::ofstream(path_, std::ios::binary) << content;
    TextFile file(path_, options);
    std::vector<std::string> documents;
    while (const auto piece = file.next()) {
      EXPECT_FALSE(piece->text.empty());
      EXPECT_LE(piece->text.size(), options.piece_bytes);
      if (piece->starts_document) {
        documents.push_back(piece->text);
      } else {
        documents.back() += "|" + piece->text;
      }
    }
    EXPECT_FALSE(file.next().has_value());
    replaced_ = file.replaced();
    return documents;
  }

  TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "a.txt";
  uint64_t replaced_ = 0;
};

using Documents = std::vector<std::string>;

TEST_F(TextFileTest, a_file_is_one_document_as_it_is) {
  EXPECT_EQ(read("one\r\ntwo\n\nthree"), Documents{"one\r\ntwo\n\nthree"});
  EXPECT_EQ(read("\xEF\xBB\xBFtext\n"), Documents{"text\n"});
  EXPECT_EQ(read(std::string_view("a\0b", 3)), Documents{std::string("a\0b", 3)});
}

TEST_F(TextFileTest, an_empty_file_has_no_documents) {
  EXPECT_TRUE(read("").empty());
  EXPECT_TRUE(read("\xEF\xBB\xBF").empty());
}

TEST_F(TextFileTest, documents_begin_at_lines_with_the_prefix) {
  const TextOptions options{.document_start = "X:"};
  EXPECT_EQ(read("X:1\nK:C\nabc|\nX:2\nX: 3\nno X:4\n", options),
            (Documents{"X:1\nK:C\nabc|\n", "X:2\n", "X: 3\nno X:4\n"}));
  EXPECT_EQ(read("X:1\r\na\r\n\r\nX:2\r\n", options), (Documents{"X:1\r\na\r\n\r\n", "X:2\r\n"}));
  EXPECT_EQ(read("\xEF\xBB\xBFX:1\nX:2", options), (Documents{"X:1\n", "X:2"}));
  EXPECT_EQ(read("nothing", options), Documents{"nothing"});
}

TEST_F(TextFileTest, what_precedes_the_first_document_is_kept_unless_blank) {
  const TextOptions options{.document_start = "X:"};
  EXPECT_EQ(read("% tunes\nX:1\n", options), (Documents{"% tunes\n", "X:1\n"}));
  EXPECT_EQ(read("\n \r\n\nX:1\n", options), Documents{"X:1\n"});
  EXPECT_EQ(read("\xEF\xBB\xBF\nX:1\n", options), Documents{"X:1\n"});
}

TEST_F(TextFileTest, large_documents_are_cut_at_lines_spaces_or_characters) {
  const TextOptions options{.piece_bytes = 16};
  EXPECT_EQ(read("line one\nline two\nline three\n", options),
            Documents{"line one\n|line two\n|line three\n"});
  EXPECT_EQ(read("words without any line end", options), Documents{"words without| any line end"});
  EXPECT_EQ(read("aéééééééééééé", options), Documents{"aééééééé|ééééé"});
  EXPECT_EQ(read("1234567890123456", options), Documents{"1234567890123456"});
}

TEST_F(TextFileTest, pieces_put_together_are_the_file_whatever_the_sizes) {
  Random random(1);
  for (int i = 0; i < 300; ++i) {
    std::string content;
    for (uint64_t n = random.below(400); n > 0; --n) {
      static constexpr const char* parts[] = {"X:", "\n", " ", "a", "é", "重", "🎵", "\nX:", "\r\n"};
      content += parts[random.below(std::size(parts))];
    }
    const TextOptions options{.document_start = i % 3 == 0 ? "" : "X:",
                              .piece_bytes = 16 + random.below(100)};
    std::string together;
    size_t starts = 0;
    for (const std::string& document : read(content, options)) {
      if (document.starts_with("X:")) ++starts;
      for (const char c : document)
        if (c != '|') together += c;
    }
    // The blank text before the first document may be missing.
    ASSERT_TRUE(content.ends_with(together)) << content;
    const std::string left_out = content.substr(0, content.size() - together.size());
    ASSERT_EQ(left_out.find_first_not_of(" \r\n"), left_out.npos) << content;
    if (options.document_start.empty()) {
      ASSERT_EQ(left_out, "") << content;
    }
    size_t expected = content.starts_with("X:") ? 1 : 0;
    for (size_t at = content.find("\nX:"); at != content.npos; at = content.find("\nX:", at + 1))
      ++expected;
    if (!options.document_start.empty()) {
      ASSERT_EQ(starts, expected) << content;
    }
  }
}

TEST_F(TextFileTest, a_document_at_the_edge_of_a_piece_is_found) {
  for (size_t before = 10; before < 40; ++before) {
    const std::string first(before - 1, 'a');
    const auto documents = read(first + "\nXYZ rest", {.document_start = "XYZ", .piece_bytes = 16});
    ASSERT_EQ(documents.size(), 2u) << before;
    EXPECT_EQ(documents[1], "XYZ rest");
  }
}

TEST_F(TextFileTest, files_larger_than_any_buffer_are_read) {
  std::string content;
  for (int i = 0; content.size() < 3'000'000; ++i) content += format("X:{}\nabc éèà\n\n", i);
  const auto documents = read(content, {.document_start = "X:"});
  EXPECT_EQ(documents.size(), static_cast<size_t>(std::stoi(documents.back().substr(2)) + 1));
  std::string together;
  for (const std::string& document : documents) together += document;
  EXPECT_EQ(together, content);
}

TEST_F(TextFileTest, invalid_utf8_is_refused_with_its_place_or_replaced_and_counted) {
  const std::string content = "fine\n" + std::string(30, 'x') + "\n\xE9t\xE9\n";
  EXPECT_TRUE(says(message_of([&] { read(content, {.piece_bytes = 16}); }),
                   "expected UTF-8 text, found an invalid byte at 36"));
  EXPECT_EQ(read("\xE9t\xE9", {.invalid = InvalidText::replace}), Documents{"\uFFFDt\uFFFD"});
  EXPECT_EQ(replaced_, 2u);
  EXPECT_TRUE(says(message_of([&] { read("\x1F\x8B\x08\xFF"); }), "gzip-compressed data"));
}

}  // namespace
}  // namespace lathe
