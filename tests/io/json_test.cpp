#include "lathe/io/json.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "lathe/base/file.h"
#include "lathe/io/json_events.h"
#include "lathe/io/utf8.h"
#include "tests/support/address_space.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

using nlohmann::json;

std::string json_refusal(std::string_view text) {
  return message_of([&] { parse_json(text); });
}

TEST(Json, parses_what_the_library_parses) {
  for (const char* text :
       {"null", "true", "-0", "12", "18446744073709551615", "-9223372036854775808", "1.5e3",
        "100000000000000000000", "\"a\\n\\u00e9\\ud83c\\udfb5 \xF0\x9F\x8E\xB5\"", "[]", "{}",
        R"([1,[2,{"a":[]}],{"b":{"c":null}},"x"])", R"({"b":1,"a":{"a":1,"b":[{}, {}]},"":0})",
        " \t\r\n[ 1 , 2 ] \n"})
    EXPECT_EQ(parse_json(text), json::parse(text)) << text;
}

TEST(Json, refuses_a_key_twice_and_says_where) {
  EXPECT_TRUE(says(json_refusal("{\"a\": 1,\n \"b\": {\"c\": 1, \"c\": 2}}"),
                   "line 2, column 18: the key \"c\" is there twice"));
  EXPECT_TRUE(says(json_refusal(R"({"a":1,"\u0061":2})"), "twice"));
  EXPECT_EQ(parse_json(R"([{"a":1},{"a":2}])").size(), 2u);
}

TEST(Json, refuses_what_is_not_json) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "[1,]",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{'a':1}",
                           "NaN",
                           "Infinity",
                           "-Infinity",
                           "01",
                           "+1",
                           ".5",
                           "1.",
                           "0x1",
                           "1 2",
                           "[1] x",
                           "// c\n1",
                           "/* c */1",
                           "\"a",
                           "\"\t\"",
                           "\"\\x\"",
                           "\"\\ud800\"",
                           "nul",
                           "1e999",
                           "\xEF\xBB\xBF{}",
                           "\"\xff\"",
                           "\"\xC0\x80\"",
                           "\"\xED\xA0\x80\""})
    EXPECT_TRUE(says(json_refusal(text), "line 1, column ")) << text;
}

TEST(Json, refuses_zero_bytes_anywhere) {
  EXPECT_TRUE(says(json_refusal(std::string_view("{}\0{", 4)), "line 1, column 3"));
  EXPECT_TRUE(says(json_refusal(std::string_view("\"a\0b\"", 5)), "zero byte"));
}

TEST(Json, names_the_line_and_column_of_a_mistake) {
  EXPECT_TRUE(
      says(json_refusal("{\n  \"a\": 1,\n  \"b\": tru\n}"), "line 3, column 11: invalid JSON"));
}

TEST(Json, depth_is_limited_to_128) {
  EXPECT_NO_THROW(parse_json(std::string(128, '[') + std::string(128, ']')));
  EXPECT_TRUE(says(json_refusal(std::string(129, '[') + std::string(129, ']')), "deeper than 128"));
  EXPECT_TRUE(says(json_refusal(std::string(1'000'000, '[')), "deeper than 128"));
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) objects += "{\"a\":";
  EXPECT_TRUE(says(json_refusal(objects), "deeper than 128"));
}

TEST(Json, messages_stay_short_whatever_the_text) {
  EXPECT_LT(json_refusal("\"" + std::string(5'000'000, 'x')).size(), 1000u);
  EXPECT_LT(json_refusal(std::string(5'000'000, '1')).size(), 1000u);
  EXPECT_LT(json_refusal("{\"" + std::string(100'000, 'x') + "\":1,\"" + std::string(100'000, 'x') +
                         "\":1}")
                .size(),
            1000u);
}

TEST(Json, many_keys_take_linear_time) {  // a search for line and column at each would take hours
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += format("\"k{}\":{},\n", i, i);
  text.replace(text.size() - 2, 2, "}");
  EXPECT_EQ(parse_json(text).size(), 200'000u);
}

std::string repeated(std::string_view first, std::string_view part, size_t bytes) {
  std::string text(first);
  while (text.size() < bytes) text += part;
  return text;
}

/// Documents of small values, the most expensive there are, each a file in `folder`.
std::vector<fs::path> expensive_files(const TemporaryFolder& folder) {
  constexpr size_t bytes = 20 << 20;
  std::string keys = "{";
  for (int i = 0; keys.size() < bytes; ++i) keys += format("\"{}\":0,", i);
  const std::string texts[] = {repeated("[", "0,", bytes) + "0]",
                               repeated("[", "[],", bytes) + "0]",
                               repeated("[", "{},", bytes) + "0]",
                               repeated("[", "\"\",", bytes) + "0]",
                               repeated("[", "{\"a\":0},", bytes) + "0]",
                               keys + "\"\":0}",
                               repeated("[", "\"0123456789abcdef\",", bytes) + "0]"};
  std::vector<fs::path> paths;
  for (const std::string& text : texts) {
    paths.push_back(folder / format("{}.json", paths.size()));
    std::ofstream(paths.back()) << text;
  }
  return paths;
}

/// Whether a file is read or refused in three times its size and what it takes itself.
bool keeps_to_three_times_its_size(const fs::path& path) {
  limit_address_space(4 * fs::file_size(path) + (20 << 20));
  try {
    return !load_json(path).empty();
  } catch (const Error& error) {
    return std::string_view(error.what()).find("bytes of memory") != std::string_view::npos;
  }
}

TEST(JsonDeathTest, a_file_takes_no_more_than_three_times_its_size) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer needs the address space";
#endif
  const TemporaryFolder folder;
  for (const fs::path& path : expensive_files(folder))
    EXPECT_EXIT(std::_Exit(keeps_to_three_times_its_size(path) ? 0 : 1), testing::ExitedWithCode(0),
                "")
        << path;
}

TEST(Json, what_usual_files_hold_fits_into_three_times_their_size) {
  std::string index = "{\"weight_map\":{";
  for (int i = 0; i < 100'000; ++i)
    index += format(
        "\"model.layers.{0}.mlp.experts.{0}.gate_proj.weight\": "
        "\"model-{0:05}-of-00163.safetensors\",\n",
        i);
  index.replace(index.size() - 2, 2, "}}");
  EXPECT_EQ(parse_json(index, 3 * index.size()).at("weight_map").size(), 100'000u);
}

TEST(Json, a_file_is_named_in_errors_and_may_have_a_byte_order_mark) {
  const TemporaryFolder folder;
  std::ofstream(folder / "bom.json") << "\xEF\xBB\xBF{\"a\":1}";
  EXPECT_EQ(load_json(folder / "bom.json"), json({{"a", 1}}));
  std::ofstream(folder / "bad.json") << "{";
  EXPECT_TRUE(says(message_of([&] { load_json(folder / "bad.json"); }),
                   (folder / "bad.json").string() + ": line 1"));
  EXPECT_TRUE(says(message_of([&] { load_json(folder / "bom.json", 5); }), "at most 5 bytes"));
  EXPECT_TRUE(says(message_of([&] { load_json(folder / "no.json"); }), "no.json"));
}

TEST(JsonMembers, are_typed_and_in_range_or_named_in_the_error) {
  const json object = parse_json(
      R"({"i":8,"f":0.5,"s":"big","b":true,"n":null,"a":[1,2],"o":{},"u":18446744073709551615})");
  EXPECT_EQ(get_int(object, "i"), 8);
  EXPECT_EQ(get_int(object, "i", 8, 8), 8);
  EXPECT_EQ(get_number(object, "f"), 0.5);
  EXPECT_EQ(get_number(object, "i"), 8.0);
  EXPECT_EQ(get_bool(object, "b"), true);
  EXPECT_EQ(get_string(object, "s"), "big");
  EXPECT_EQ(get_array(object, "a").size(), 2u);
  EXPECT_TRUE(get_object(object, "o").empty());
  const auto error = [&](auto get) { return message_of([&] { get(); }); };
  EXPECT_EQ(error([&] { get_int(object, "s", 1); }),
            R"("s": expected an integer >= 1, found "big")");
  EXPECT_EQ(error([&] { get_int(object, "i", 9, 10); }),
            R"("i": expected an integer from 9 to 10, found 8)");
  EXPECT_EQ(error([&] { get_int(object, "i", -1, 7); }),
            R"("i": expected an integer from -1 to 7, found 8)");
  EXPECT_EQ(error([&] { get_int(object, "f"); }), R"("f": expected an integer, found 0.5)");
  EXPECT_EQ(error([&] { get_int(object, "u"); }),
            R"("u": expected an integer, found 18446744073709551615)");
  EXPECT_EQ(error([&] { get_int(object, "b"); }), R"("b": expected an integer, found true)");
  EXPECT_EQ(error([&] { get_int(object, "x", 1); }),
            R"("x": expected an integer >= 1, but it is missing)");
  EXPECT_EQ(error([&] { get_string(object, "n"); }),
            R"("n": expected a string, but it is missing)");
  EXPECT_EQ(error([&] { get_number(object, "f", 1.0); }),
            R"("f": expected a number >= 1, found 0.5)");
  EXPECT_EQ(error([&] { get_bool(object, "i"); }), R"("i": expected true or false, found 8)");
  EXPECT_EQ(error([&] { get_array(object, "o"); }),
            R"("o": expected an array, found an object of 0 members)");
  EXPECT_EQ(error([&] { get_object(object, "a"); }),
            R"("a": expected an object, found an array of 2 values)");
  EXPECT_TRUE(says(error([&] { get_int(object["a"], "i"); }), "an array of 2 values"));
}

TEST(JsonMembers, missing_and_null_mean_the_fallback_but_a_wrong_type_does_not) {
  const json object = parse_json(R"({"n":null,"s":"x"})");
  EXPECT_EQ(get_int_or(object, "n", 3), 3);
  EXPECT_EQ(get_number_or(object, "m", 0.5), 0.5);
  EXPECT_EQ(get_bool_or(object, "m", true), true);
  EXPECT_EQ(get_string_or(object, "n", "y"), "y");
  EXPECT_EQ(find_member(object, "n"), nullptr);
  EXPECT_THROW(get_int_or(object, "s", 3), Error);
  EXPECT_THROW(get_number_or(object, "s", 3), Error);
  EXPECT_THROW(get_bool_or(object, "s", false), Error);
}

}  // namespace
}  // namespace lathe
