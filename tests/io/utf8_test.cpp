#include "lathe/io/utf8.h"

#include <gtest/gtest.h>

#include "lathe/base/random.h"

namespace lathe {
namespace {

std::string encode(uint32_t code) {
  std::string text;
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | code >> 6);
    text += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | code >> 12);
    text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    text += static_cast<char>(0xF0 | code >> 18);
    text += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  }
  return text;
}

TEST(Utf8, every_code_point_is_valid_but_surrogates_and_beyond_unicode) {
  for (uint32_t code = 0; code < 0x200000; ++code) {
    const bool valid = code < 0x110000 && (code < 0xD800 || code > 0xDFFF);
    const std::string text = encode(code);
    if (is_valid_utf8(text) != valid) FAIL() << std::hex << code;
    if (valid && utf8_length(text, 0) != text.size()) FAIL() << std::hex << code;
  }
}

TEST(Utf8, overlong_cut_and_stray_bytes_are_invalid) {
  for (const char* bad :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2 ", "\xE0\x80\x80", "\xE0\x9F\xBF",
        "\xE2\x82", "\xE2\x82 ", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF0\x9F\x8E",
        "\xF5\x80\x80\x80", "\xFE", "\xFF", "\xE2(\xA1", "\xC3\xC3"})
    EXPECT_FALSE(is_valid_utf8(bad));
}

TEST(Utf8, the_first_invalid_byte_is_found_at_any_offset) {
  for (size_t before = 0; before < 150; ++before) {
    for (const char* unit : {"a", "é", "重", "🎵"}) {
      std::string text;
      while (text.size() < before) text += unit;
      const size_t bad = text.size();
      EXPECT_TRUE(is_valid_utf8(text));
      text += '\xFF';
      text.append(40, 'b');
      EXPECT_EQ(find_invalid_utf8(text), bad);
    }
  }
}

TEST(Utf8, a_prefix_never_cuts_a_character) {
  const std::string text = "aé重🎵b";
  for (size_t end = 0; end <= text.size(); ++end) {
    const std::string_view cut = std::string_view(text).substr(0, end);
    const size_t complete = utf8_complete_prefix(cut);
    EXPECT_LE(end - complete, 3u);
    EXPECT_TRUE(is_valid_utf8(cut.substr(0, complete)));
  }
  EXPECT_EQ(utf8_complete_prefix("\x80\x80\x80\x80"), 4u);
}

TEST(Utf8, replacing_gives_valid_text_and_counts) {
  uint64_t replaced = 0;
  EXPECT_EQ(replace_invalid_utf8("a\xFFz\xC3", replaced), "a\uFFFDz\uFFFD");
  EXPECT_EQ(replaced, 2u);
  EXPECT_EQ(replace_invalid_utf8("fine é", replaced), "fine é");
  EXPECT_EQ(replaced, 2u);
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(random.below(40), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.below(256));
    EXPECT_TRUE(is_valid_utf8(replace_invalid_utf8(bytes, replaced)));
  }
}

TEST(Utf8, text_for_messages_cannot_steer_a_terminal) {
  EXPECT_EQ(show_text("plain é 重"), "\"plain é 重\"");
  EXPECT_EQ(show_text("a\"b\\"), "\"a\\\"b\\\\\"");
  EXPECT_EQ(show_text("\x1b[2J\r\n\x7f"), "\"\\u001b[2J\\u000d\\u000a\\u007f\"");
  EXPECT_EQ(show_text("\xC2\x9B\u202Eabc\u2066"), "\"\\u009b\\u202eabc\\u2066\"");
  EXPECT_EQ(show_text("\xff"), "\"\\xff\"");
  EXPECT_EQ(show_text(std::string(200, 'x'), 3), "\"xxx\"... (200 bytes)");
}

TEST(Utf8, text_without_controls_keeps_its_lines_and_its_direction) {
  EXPECT_EQ(escape_controls("a\tb\n\"c\" é\u200F"), "a\tb\n\"c\" é\u200F");
  EXPECT_EQ(escape_controls("\x1b[2J\r\b\x7f"), "\\u001b[2J\\u000d\\u0008\\u007f");
  EXPECT_EQ(escape_controls("\xC2\x80\xC2\x9F\xC2\xA0"), "\\u0080\\u009f\xC2\xA0");
  EXPECT_EQ(escape_controls("\x9B\xff"), "\\x9b\\xff");
}

}  // namespace
}  // namespace lathe
