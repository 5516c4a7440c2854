// tokenizer.json files made to crash, hang or mislead: each is a clear error.
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "lathe/base/file.h"
#include "lathe/base/random.h"
#include "lathe/text/tokenizer.h"
#include "tests/support/errors.h"

namespace lathe {
namespace {

using nlohmann::json;

json with(const std::string& part, const json& value) {
  json file = {{"version", "1.0"},
               {"model",
                {{"type", "BPE"},
                 {"vocab", {{"a", 0}, {"b", 1}, {"ab", 2}, {" ", 3}}},
                 {"merges", json::array({json::array({"a", "b"})})}}}};
  file[json::json_pointer(part)] = value;
  return file;
}

std::string tokenizer_error(const std::string& text) {
  return message_of([&] { Tokenizer::from_json(text); });
}
std::string tokenizer_error(const json& file) {
  return tokenizer_error(file.dump());
}

json regex_replace(const std::string& pattern, const std::string& content) {
  return {{"type", "Replace"}, {"pattern", {{"Regex", pattern}}}, {"content", content}};
}

json split(const std::string& pattern) {
  return {{"type", "Split"},
          {"pattern", {{"Regex", pattern}}},
          {"behavior", "Isolated"},
          {"invert", false}};
}

json added(const std::string& content, int64_t id) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

TEST(HostileTokenizer, what_the_other_tests_change_is_fine_without_the_change) {
  EXPECT_EQ(tokenizer_error(with("/version", "1.0")), "no error");
}

TEST(HostileTokenizer, refuses_what_is_no_tokenizer) {
  EXPECT_TRUE(says(tokenizer_error(std::string()), "reading a tokenizer.json"));
  EXPECT_TRUE(says(tokenizer_error(std::string("\xff\xfe")), "reading a tokenizer.json"));
  EXPECT_TRUE(says(tokenizer_error(json::object()), "reading a tokenizer.json"));
  EXPECT_TRUE(says(tokenizer_error(json::array()), "reading a tokenizer.json"));
  EXPECT_TRUE(says(tokenizer_error(with("/model", nullptr)), "reading a tokenizer.json"));
  EXPECT_TRUE(says(tokenizer_error(with("/model/type", "Magic")), "reading a tokenizer.json"));
  EXPECT_TRUE(says(tokenizer_error(with("/version", "9.9")), "version '9.9'"));
}

TEST(HostileTokenizer, refuses_every_cut_of_a_file) {
  const std::string whole = with("/normalizer", {{"type", "NFC"}}).dump();
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(tokenizer_error(whole.substr(0, size)), "no error") << size;
}

TEST(HostileTokenizer, damaged_bytes_end_in_a_tokenizer_or_an_error) {
  Random random(3);
  for (const std::string kind : {"unigram", "wordpiece", "gpt4"}) {
    const std::string whole =
        read_file(fs::path(LATHE_TEST_DATA) / "golden/tokenizer" / kind / "tokenizer.json");
    for (int round = 0; round < 60; ++round) {
      std::string damaged = whole;
      // Most damage goes where the structure is, before the vocabulary.
      const uint64_t range = round % 3 == 0 ? damaged.size() : 3000;
      for (uint64_t i = 0; i <= random.below(3); ++i)
        damaged[random.below(range)] = "{}[],:\"0129-eE.nulltrue\\ \x80"[random.below(27)];
      const std::string message = message_of([&] {
        const Tokenizer tokenizer = Tokenizer::from_json(damaged);
        tokenizer.decode(tokenizer.encode("The quick brown fox, 12345! <s> é 你好"));
      });
      EXPECT_TRUE(message == "no error" || says(message, "tokeniz")) << message;
    }
  }
}

TEST(HostileTokenizer, refuses_deep_nesting) {
  EXPECT_TRUE(says(tokenizer_error(std::string(1'000'000, '[')), "recursion limit"));
  std::string deep = "null";
  for (int i = 0; i < 100'000; ++i) {
    deep.insert(0, R"({"type":"Sequence","normalizers":[)");
    if (i == 200) break;
  }
  EXPECT_TRUE(says(tokenizer_error("{\"normalizer\":" + deep), "recursion limit"));
  std::string values(100'000, '[');
  EXPECT_TRUE(says(tokenizer_error("{\"unknown key\":" + values), "reading a tokenizer.json"));
}

TEST(HostileTokenizer, refuses_ids_that_are_huge_negative_or_double) {
  EXPECT_TRUE(
      says(tokenizer_error(with("/model/vocab/x", 4'294'967'295)), "expected an id from 0 to"));
  EXPECT_TRUE(
      says(tokenizer_error(with("/model/vocab/x", 16'777'216)), "expected an id from 0 to"));
  EXPECT_TRUE(says(tokenizer_error(with("/model/vocab/x", 1e30)), "reading a tokenizer.json"));
  EXPECT_TRUE(says(tokenizer_error(with("/model/vocab/x", -1)), "reading a tokenizer.json"));
  EXPECT_TRUE(
      says(tokenizer_error(with("/model/vocab/x", 1)), "\"b\" and \"x\" have the same id 1"));
}

TEST(HostileTokenizer, refuses_added_tokens_with_other_ids_than_they_get) {
  EXPECT_EQ(tokenizer_error(with("/added_tokens", json::array({added("<s>", 4)}))), "no error");
  EXPECT_TRUE(says(tokenizer_error(with("/added_tokens", json::array({added("<s>", 9)}))),
                   "has the id 9 there, but 4"));
  EXPECT_TRUE(says(tokenizer_error(with("/added_tokens", json::array({added("a", 4)}))),
                   "has the id 4 there, but 0"));
}

TEST(HostileTokenizer, refuses_merges_of_absent_tokens) {
  EXPECT_TRUE(says(tokenizer_error(with("/model/merges/0", json::array({"a", "z"}))), "z"));
  EXPECT_TRUE(says(tokenizer_error(with("/model/merges/0", "a b c")), "reading a tokenizer.json"));
  json file = with("/model/merges/0", json::array({"a", "b"}));
  file["model"]["continuing_subword_prefix"] = "longer than any token";
  EXPECT_TRUE(says(tokenizer_error(file), "reading a tokenizer.json"));
}

TEST(HostileTokenizer, refuses_replacements_that_grow_without_bound) {
  json steps = json::array();
  for (int i = 0; i < 64; ++i)
    steps.push_back({{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}});
  const json bomb = {{"type", "Sequence"}, {"normalizers", steps}};
  EXPECT_TRUE(says(tokenizer_error(with("/normalizer", bomb)), "more than 256 times longer"));
  const json nested = {{"type", "Sequence"},
                       {"decoders", json::array({{{"type", "Sequence"}, {"decoders", steps}}})}};
  EXPECT_TRUE(says(tokenizer_error(with("/decoder", nested)), "more than 256 times longer"));
  EXPECT_TRUE(says(tokenizer_error(with("/normalizer", regex_replace("", std::string(9999, 'a')))),
                   "more than 256 times longer"));
}

TEST(HostileTokenizer, refuses_a_post_processor_that_adds_without_bound) {
  const json ids = std::vector<int>(1000, 0);
  const json piece = {{"SpecialToken", {{"id", "a"}, {"type_id", 0}}}};
  const json processor = {
      {"type", "TemplateProcessing"},
      {"single", json(std::vector<json>(1000, piece))},
      {"pair", json::array()},
      {"special_tokens",
       {{"a", {{"id", "a"}, {"ids", ids}, {"tokens", std::vector<std::string>(1000, "a")}}}}}};
  EXPECT_TRUE(says(tokenizer_error(with("/post_processor", processor)), "tokens to each text"));
}

TEST(HostileTokenizer, refuses_a_post_processor_that_adds_ids_without_a_token) {
  const json piece = {{"SpecialToken", {{"id", "a"}, {"type_id", 0}}}};
  const auto processor = [&](int id) -> json {
    return {{"type", "TemplateProcessing"},
            {"single", json::array({piece})},
            {"pair", json::array()},
            {"special_tokens", {{"a", {{"id", "a"}, {"ids", {id}}, {"tokens", {"a"}}}}}}};
  };
  EXPECT_EQ(tokenizer_error(with("/post_processor", processor(3))), "no error");
  EXPECT_TRUE(says(tokenizer_error(with("/post_processor", processor(4))),
                   "adds the id 4, which no token"));
  const json bert = {{"type", "BertProcessing"}, {"sep", {"a", 0}}, {"cls", {"b", 99}}};
  EXPECT_TRUE(
      says(tokenizer_error(with("/post_processor", bert)), "adds the id 99, which no token"));
}

TEST(HostileTokenizer, refuses_random_encoding) {
  EXPECT_TRUE(says(tokenizer_error(with("/model/dropout", 0.1)), "encoding would be random"));
  EXPECT_EQ(tokenizer_error(with("/model/dropout", 0.0)), "no error");
}

TEST(HostileTokenizer, refuses_patterns_that_are_too_long_or_wrong) {
  EXPECT_TRUE(
      says(tokenizer_error(with("/pre_tokenizer", split(std::string(30'000, 'a')))), "30000"));
  EXPECT_TRUE(
      says(tokenizer_error(with("/pre_tokenizer", split("(a"))), "reading a tokenizer.json"));
  const json empty = {{"type", "FixedLength"}, {"length", 0}};
  EXPECT_TRUE(says(tokenizer_error(with("/pre_tokenizer", empty)), "at least 1"));
}

// Oniguruma looks for the literal end of a pattern first, so that has to be there.
const std::string costly_text = std::string(2000, 'a') + "bc";

TEST(HostileTokenizer, costly_patterns_end_soon_one_way_or_the_other) {
  for (const std::string pattern :
       {"(a+)+$", "(a|a)*c", "(a*)*c", "(?=(a+)+c)a", "(a|aa)+$", "((a+)+)+c", "(a+)+\\1c"}) {
    const Tokenizer tokenizer = Tokenizer::from_json(with("/pre_tokenizer", split(pattern)).dump());
    const auto begin = std::chrono::steady_clock::now();
    const std::string message = message_of([&] { tokenizer.encode(costly_text); });
    EXPECT_TRUE(message == "no error" || says(message, "too many steps")) << pattern << message;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60)) << pattern;
  }
}

TEST(HostileTokenizer, a_pattern_that_gives_up_is_an_error_and_no_other_encoding) {
  const Tokenizer tokenizer = Tokenizer::from_json(with("/pre_tokenizer", split("(a|a)*c")).dump());
  EXPECT_TRUE(says(message_of([&] { tokenizer.encode(costly_text); }), "too many steps"));
  const std::vector<std::string_view> texts = {"ab", costly_text};
  EXPECT_TRUE(says(message_of([&] { tokenizer.encode_batch(texts); }), "too many steps"));
  EXPECT_EQ(tokenizer.encode("ab"), std::vector<int32_t>{2}) << "the tokenizer stays usable";
  for (const char* pattern : {"(a+)+$", "(a*)*c", "(?=(a+)+c)a", "((a+)+)+c", "(a+)+\\1c"}) {
    const Tokenizer other = Tokenizer::from_json(with("/pre_tokenizer", split(pattern)).dump());
    EXPECT_TRUE(says(message_of([&] { other.encode(costly_text); }), "too many steps")) << pattern;
  }
}

TEST(HostileTokenizer, a_pattern_of_a_normalizer_gives_up_as_well) {
  const Tokenizer tokenizer =
      Tokenizer::from_json(with("/normalizer", regex_replace("(a|a)*c", "b")).dump());
  EXPECT_TRUE(says(message_of([&] { tokenizer.encode(costly_text); }), "too many steps"));
}

TEST(HostileTokenizer, a_word_of_a_megabyte_is_quick) {
  const Tokenizer tokenizer = Tokenizer::from_json(with("/version", "1.0").dump());
  std::string text;
  for (int i = 0; i < 500'000; ++i) text += "ab";
  EXPECT_EQ(tokenizer.encode(text).size(), 500'000u);
}

TEST(HostileTokenizer, a_hundred_thousand_added_tokens_are_fine) {
  json tokens = json::array();
  for (int i = 0; i < 100'000; ++i) tokens.push_back(added("<" + std::to_string(i) + ">", 4 + i));
  const Tokenizer tokenizer = Tokenizer::from_json(with("/added_tokens", tokens).dump());
  EXPECT_EQ(tokenizer.vocab_size(), 100'004);
  EXPECT_EQ(tokenizer.encode("<99999>ab"), (std::vector<int32_t>{100'003, 2}));
}

}  // namespace
}  // namespace lathe
