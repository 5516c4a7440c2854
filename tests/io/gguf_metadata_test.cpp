#include "lathe/io/gguf_metadata.h"

#include <gtest/gtest.h>

#include <cmath>

#include "lathe/io/gguf_header.h"
#include "tests/io/gguf_bytes.h"
#include "tests/support/errors.h"

namespace lathe {
namespace {

/// A value of every type under the type's name, and an array of two under "TYPEs".
GgufBytes every_type() {
  GgufBytes file(0, 24);
  const auto both = [&](GgufType type, auto value) {
    const std::string name(gguf_type_name(type));
    file.entry(name, type, value).array(name + "s", type, 2).number(value).number(value);
  };
  both(GgufType::uint8, uint8_t{200});
  both(GgufType::int8, int8_t{-100});
  both(GgufType::uint16, uint16_t{60000});
  both(GgufType::int16, int16_t{-30000});
  both(GgufType::uint32, uint32_t{4'000'000'000});
  both(GgufType::int32, int32_t{-2'000'000'000});
  both(GgufType::float32, 0.25F);
  both(GgufType::boolean, uint8_t{1});
  both(GgufType::uint64, ~uint64_t{0});
  both(GgufType::int64, std::numeric_limits<int64_t>::min());
  both(GgufType::float64, 0.1);
  file.key("string", GgufType::string).string("text");
  file.array("strings", GgufType::string, 2).string("a").string("");
  return file;
}

struct EveryType : testing::Test {
  const GgufBytes file = every_type();
  const GgufMetadata metadata = parse_gguf_header(file.span()).metadata;
};

TEST_F(EveryType, reads_integers_of_every_size) {
  EXPECT_EQ(metadata.get_int("uint8"), 200);
  EXPECT_EQ(metadata.get_int("int8"), -100);
  EXPECT_EQ(metadata.get_int("uint16"), 60000);
  EXPECT_EQ(metadata.get_int("int16"), -30000);
  EXPECT_EQ(metadata.get_int("uint32"), 4'000'000'000);
  EXPECT_EQ(metadata.get_int("int32"), -2'000'000'000);
  EXPECT_EQ(metadata.get_int("int64"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(metadata.get_ints("int16s"), (std::vector<int64_t>{-30000, -30000}));
}

TEST_F(EveryType, reads_numbers_booleans_and_strings) {
  EXPECT_EQ(metadata.get_number("float32"), 0.25);
  EXPECT_EQ(metadata.get_number("float64"), 0.1);
  EXPECT_EQ(metadata.get_numbers("float32s"), (std::vector<double>{0.25, 0.25}));
  EXPECT_TRUE(metadata.get_bool("bool"));
  EXPECT_EQ(metadata.get_bools("bools"), (std::vector<bool>{true, true}));
  EXPECT_EQ(metadata.get_string("string"), "text");
  const GgufStrings strings = metadata.get_strings("strings");
  EXPECT_EQ(std::vector<std::string>(strings.begin(), strings.end()),
            (std::vector<std::string>{"a", ""}));
}

TEST_F(EveryType, a_read_of_every_wrong_type_is_an_error_that_names_the_key) {
  const auto check = [](const GgufEntry& entry, bool fits, auto read) {
    const std::string message = message_of([&] { read(entry.key); });
    if (fits) {
      EXPECT_EQ(message, "no error") << entry.key;
    } else {
      EXPECT_TRUE(says(message, format("\"{}\": expected", entry.key)));
    }
  };
  for (const GgufEntry& entry : metadata.entries()) {
    const bool array = entry.type == GgufType::array;
    const bool boolean = entry.element == GgufType::boolean;
    const bool text = entry.element == GgufType::string;
    const bool real = entry.element == GgufType::float32 || entry.element == GgufType::float64;
    const bool integer = !boolean && !text && !real && entry.element != GgufType::uint64;
    check(entry, !array && integer, [&](auto key) { metadata.get_int(key); });
    check(entry, !array && real, [&](auto key) { metadata.get_number(key); });
    check(entry, !array && boolean, [&](auto key) { metadata.get_bool(key); });
    check(entry, !array && text, [&](auto key) { metadata.get_string(key); });
    check(entry, array && integer, [&](auto key) { metadata.get_ints(key); });
    check(entry, array && real, [&](auto key) { metadata.get_numbers(key); });
    check(entry, array && boolean, [&](auto key) { metadata.get_bools(key); });
    check(entry, array && text, [&](auto key) { metadata.get_strings(key); });
  }
}

TEST_F(EveryType, a_fallback_is_for_missing_keys_alone) {
  EXPECT_EQ(metadata.get_int_or("none", 7), 7);
  EXPECT_EQ(metadata.get_number_or("none", 0.5), 0.5);
  EXPECT_TRUE(metadata.get_bool_or("none", true));
  EXPECT_EQ(metadata.get_string_or("none", "x"), "x");
  EXPECT_THROW(metadata.get_int_or("string", 7), Error);
  EXPECT_THROW(metadata.get_number_or("uint8", 7), Error);
  EXPECT_THROW(metadata.get_bool_or("uint8", true), Error);
  EXPECT_THROW(metadata.get_string_or("uint8", ""), Error);
  EXPECT_TRUE(says(message_of([&] { metadata.get_int("none", 1); }),
                   "\"none\": expected an integer >= 1, but it is missing"));
}

TEST_F(EveryType, ranges_are_checked) {
  EXPECT_TRUE(says(message_of([&] { metadata.get_int("uint8", 0, 199); }),
                   "\"uint8\": expected an integer from 0 to 199, found uint8 200"));
  EXPECT_TRUE(
      says(message_of([&] { metadata.get_int("uint64"); }), "found uint64 18446744073709551615"));
  EXPECT_TRUE(
      says(message_of([&] { metadata.get_ints("int8s", 0); }), "integers >= 0, found -100"));
  EXPECT_THROW(metadata.get_number("float32", 0.3), Error);
}

TEST(GgufMetadata, values_that_are_no_numbers_no_booleans_no_text_are_refused) {
  const GgufBytes file = GgufBytes(0, 5)
                             .entry("nan", GgufType::float32, std::nanf(""))
                             .entry("inf", GgufType::float64, HUGE_VAL)
                             .entry("two", GgufType::boolean, uint8_t{2})
                             .key("text", GgufType::string)
                             .string("a\xff")
                             .array("twos", GgufType::boolean, 2)
                             .raw("\x01\x02");
  const GgufMetadata metadata = parse_gguf_header(file.span()).metadata;
  EXPECT_TRUE(says(message_of([&] { metadata.get_number("nan"); }), "\"nan\": expected a number"));
  EXPECT_TRUE(says(message_of([&] { metadata.get_number("inf"); }), "found float64 inf"));
  EXPECT_TRUE(says(message_of([&] { metadata.get_bool("two"); }), "found bool 2"));
  EXPECT_TRUE(says(message_of([&] { metadata.get_bools("twos"); }), "found 2"));
  EXPECT_TRUE(says(message_of([&] { metadata.get_string("text"); }), "valid UTF-8"));
}

TEST(GgufMetadata, hostile_text_is_escaped_and_cut_in_messages) {
  const GgufBytes file =
      GgufBytes(0, 1).key("k", GgufType::string).string("\x1b[31m" + std::string(100'000, 'x'));
  const GgufMetadata metadata = parse_gguf_header(file.span()).metadata;
  const std::string message = message_of([&] { metadata.get_int("k"); });
  EXPECT_LT(message.size(), 300u);
  EXPECT_EQ(message.find('\x1b'), message.npos);
}

TEST(GgufMetadata, a_large_vocabulary_is_a_view_of_the_file) {
  constexpr size_t count = 150'000;
  GgufBytes file(0, 1);
  file.array("tokens", GgufType::string, count);
  for (size_t i = 0; i < count; ++i) file.string(format("token {}", i));
  const GgufMetadata metadata = parse_gguf_header(file.span()).metadata;
  const GgufStrings tokens = metadata.get_strings("tokens");
  EXPECT_EQ(tokens.size(), count);
  size_t i = 0;
  for (const std::string_view token : tokens) {
    ASSERT_EQ(token, format("token {}", i++));
    ASSERT_TRUE(token.data() > file.text().data() &&
                token.data() < file.text().data() + file.text().size());
  }
  EXPECT_EQ(i, count);
}

}  // namespace
}  // namespace lathe
