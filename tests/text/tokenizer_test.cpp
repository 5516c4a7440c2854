#include "lathe/text/tokenizer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "lathe/base/file.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"
#include "tests/text/sample_text.h"

namespace lathe {
namespace {

using nlohmann::json;
using Ids = std::vector<int32_t>;

/// Characters a-z and a space as tokens 3 to 29; <unk>, <s> and </s> are 0 to 2, no added tokens.
json letters() {
  json vocab = {{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}, {" ", 29}};
  for (int i = 0; i < 26; ++i) vocab[std::string(1, static_cast<char>('a' + i))] = 3 + i;
  return {{"version", "1.0"},
          {"pre_tokenizer",
           {{"type", "Split"},
            {"pattern", {{"Regex", "[\\s\\S]"}}},
            {"behavior", "Isolated"},
            {"invert", false}}},
          {"decoder", {{"type", "Fuse"}}},
          {"model", {{"type", "WordLevel"}, {"vocab", vocab}, {"unk_token", "<unk>"}}}};
}

Tokenizer load_tokenizer_files(const json& tokenizer, const json& config,
                               const json& map = nullptr) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "tokenizer.json", tokenizer.dump());
  if (!config.is_null()) write_file_atomic(folder / "tokenizer_config.json", config.dump());
  if (!map.is_null()) write_file_atomic(folder / "special_tokens_map.json", map.dump());
  return Tokenizer::load(folder.path());
}

TEST(Tokenizer, encodes_decodes_and_looks_up) {
  const Tokenizer tokenizer = Tokenizer::from_json(letters().dump());
  EXPECT_EQ(tokenizer.encode("ab z"), (Ids{3, 4, 29, 28}));
  EXPECT_EQ(tokenizer.encode(""), Ids{});
  EXPECT_EQ(tokenizer.decode(Ids{3, 4, 29, 28}), "ab z");
  EXPECT_EQ(tokenizer.decode(Ids{3, 1000, 4}), "ab");
  EXPECT_EQ(tokenizer.vocab_size(), 30);
  EXPECT_EQ(tokenizer.token_id("b"), 4);
  EXPECT_EQ(tokenizer.token_id("ab"), std::nullopt);
  EXPECT_EQ(tokenizer.token(29), " ");
  EXPECT_EQ(tokenizer.bos_id(), std::nullopt);
  EXPECT_TRUE(says(message_of([&] { tokenizer.token(30); }), "no token with the id 30"));
  EXPECT_TRUE(says(message_of([&] { tokenizer.decode(Ids{-1}); }), "found -1"));
}

TEST(Tokenizer, encodes_embedded_nul_and_refuses_broken_utf8) {
  const Tokenizer tokenizer = Tokenizer::from_json(letters().dump());
  EXPECT_EQ(tokenizer.encode(std::string_view("a\0b", 3)), (Ids{3, 0, 4}));
  EXPECT_TRUE(says(message_of([&] { tokenizer.encode("ab\xc3"); }), "at byte 2"));
  const std::vector<std::string_view> texts = {"a", "b\xed\xa0\x80"};
  EXPECT_TRUE(says(message_of([&] { tokenizer.encode_batch(texts); }), "text 1: "));
}

TEST(Tokenizer, encodes_batches_as_it_encodes_single_texts) {
  const Tokenizer tokenizer = train_sample({});
  std::vector<std::string> texts = sample_texts();
  for (const std::string& text : hard_texts()) texts.push_back(text);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const auto batch = tokenizer.encode_batch(views);
  ASSERT_EQ(batch.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(batch[i], tokenizer.encode(texts[i])) << i;
  EXPECT_TRUE(tokenizer.encode_batch({}).empty());
}

TEST(Tokenizer, is_shared_by_copies_and_threads) {
  Tokenizer tokenizer = train_sample({});
  const Tokenizer copy = tokenizer;
  const std::string text = sample_texts()[1];
  const Ids expected = tokenizer.encode(text);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, mine = tokenizer] {
      for (int i = 0; i < 50; ++i) wrong += mine.encode(text) != expected;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(&copy.fingerprint(), &tokenizer.fingerprint());
}

TEST(Tokenizer, roles_may_be_text_or_objects) {
  const json object = {{"__type", "AddedToken"}, {"content", "</s>"}, {"lstrip", false},
                       {"normalized", false},    {"rstrip", false},   {"single_word", false}};
  const Tokenizer tokenizer = load_tokenizer_files(
      letters(), {{"bos_token", "<s>"}, {"eos_token", object}, {"pad_token", nullptr}});
  EXPECT_EQ(tokenizer.bos_id(), 1);
  EXPECT_EQ(tokenizer.eos_id(), 2);
  EXPECT_EQ(tokenizer.pad_id(), std::nullopt);
  EXPECT_TRUE(tokenizer.is_special(2));
  EXPECT_FALSE(tokenizer.is_special(3));
  EXPECT_EQ(tokenizer.encode("a</s>b"), (Ids{3, 2, 4}));
  EXPECT_EQ(tokenizer.decode(Ids{1, 3, 2}), "a");
  EXPECT_EQ(tokenizer.decode(Ids{1, 3, 2}, false), "<s>a</s>");
}

TEST(Tokenizer, tokens_of_the_config_are_added_behind_the_vocabulary) {
  const json decoder = {{"30", {{"content", "<tool>"}, {"special", false}}},
                        {"31", {{"content", "<pad>"}, {"special", true}}}};
  const Tokenizer tokenizer =
      load_tokenizer_files(letters(), {{"added_tokens_decoder", decoder},
                                       {"pad_token", "<pad>"},
                                       {"extra_special_tokens", json::array({"<more>"})}});
  EXPECT_EQ(tokenizer.vocab_size(), 33);
  EXPECT_EQ(tokenizer.encode("a<tool><pad><more>"), (Ids{3, 30, 31, 32}));
  EXPECT_EQ(tokenizer.decode(Ids{3, 30, 31, 32}), "a<tool>");
  EXPECT_EQ(tokenizer.pad_id(), 31);
}

TEST(Tokenizer, takes_further_special_tokens_that_stay_when_it_is_saved) {
  const Tokenizer plain = Tokenizer::from_json(letters().dump());
  const Tokenizer wider = plain.with_special_tokens({"<a>", "</s>", "<b>", "<a>"});
  EXPECT_EQ(plain.encode("<a>"), (Ids{0, 3, 0}));
  EXPECT_EQ(wider.encode("x<b>y<a>"), (Ids{26, 31, 27, 30}));
  EXPECT_TRUE(wider.is_special(31));
  EXPECT_EQ(wider.token_id("</s>"), 2);
  EXPECT_EQ(wider.vocab_size(), 32);
  EXPECT_TRUE(says(message_of([&] { plain.with_special_tokens({""}); }), "cannot be empty"));
  const TemporaryFolder folder;
  wider.save(folder.path());
  EXPECT_EQ(Tokenizer::load(folder.path()).encode("x<b>y<a>"), (Ids{26, 31, 27, 30}));
}

TEST(Tokenizer, add_bos_token_puts_bos_before_a_text) {
  json config = {{"bos_token", "<s>"}, {"eos_token", "</s>"}, {"add_bos_token", true}};
  EXPECT_EQ(load_tokenizer_files(letters(), config).encode("a"), (Ids{1, 3}));
  EXPECT_EQ(load_tokenizer_files(letters(), config).encode("a", false), (Ids{3}));
  config["add_eos_token"] = true;
  EXPECT_EQ(load_tokenizer_files(letters(), config).encode("a"), (Ids{1, 3, 2}));
  config["add_bos_token"] = false;
  EXPECT_EQ(load_tokenizer_files(letters(), config).encode("a"), (Ids{3, 2}));
}

TEST(Tokenizer, reads_roles_from_special_tokens_map) {
  const Tokenizer tokenizer = load_tokenizer_files(letters(), {{"bos_token", "<s>"}},
                                                   {{"bos_token", "a"}, {"eos_token", "</s>"}});
  EXPECT_EQ(tokenizer.bos_id(), 1);
  EXPECT_EQ(tokenizer.eos_id(), 2);
}

TEST(Tokenizer, leaves_out_truncation_and_padding) {
  json file = letters();
  file["truncation"] = {
      {"direction", "Right"}, {"max_length", 2}, {"strategy", "LongestFirst"}, {"stride", 0}};
  file["padding"] = {{"strategy", {{"Fixed", 100'000'000'000}}},
                     {"direction", "Right"},
                     {"pad_to_multiple_of", nullptr},
                     {"pad_id", 0},
                     {"pad_type_id", 0},
                     {"pad_token", "<unk>"}};
  EXPECT_EQ(Tokenizer::from_json(file.dump()).encode("abc"), (Ids{3, 4, 5}));
}

TEST(Tokenizer, is_the_same_after_save_and_load) {
  const json config = {{"bos_token", "<s>"},
                       {"add_bos_token", true},
                       {"model_max_length", 77},
                       {"extra_special_tokens", json::array({"<more>"})}};
  const Tokenizer tokenizer = load_tokenizer_files(letters(), config);
  const TemporaryFolder folder;
  tokenizer.save(folder / "deeper/model");
  const Tokenizer again = Tokenizer::load(folder / "deeper/model");
  EXPECT_EQ(again.fingerprint(), tokenizer.fingerprint());
  EXPECT_EQ(again.encode("a<more>"), (Ids{1, 3, 30}));
  EXPECT_EQ(again.bos_id(), 1);
  const json saved = json::parse(read_file(folder / "deeper/model/tokenizer_config.json"));
  EXPECT_EQ(saved["model_max_length"], 77);
  EXPECT_EQ(saved["tokenizer_class"], "PreTrainedTokenizerFast");
}

TEST(Tokenizer, keeps_the_chat_templates_of_a_directory) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "tokenizer.json", letters().dump());
  write_file_atomic(folder / "chat_template.jinja", "{{ messages }}");
  fs::create_directories(folder / "additional_chat_templates");
  write_file_atomic(folder / "additional_chat_templates/tool_use.jinja", "{{ tools }}");
  Tokenizer::load(folder.path()).save(folder / "copy");
  EXPECT_EQ(read_file(folder / "copy/chat_template.jinja"), "{{ messages }}");
  EXPECT_EQ(read_file(folder / "copy/additional_chat_templates/tool_use.jinja"), "{{ tools }}");
}

TEST(Tokenizer, fingerprint_changes_with_what_changes_ids) {
  const std::string first = load_tokenizer_files(letters(), nullptr).fingerprint();
  EXPECT_EQ(load_tokenizer_files(letters(), nullptr).fingerprint(), first);
  EXPECT_NE(load_tokenizer_files(letters(), {{"eos_token", "</s>"}}).fingerprint(), first);
  EXPECT_NE(load_tokenizer_files(letters(), {{"bos_token", "<s>"}, {"add_bos_token", true}})
                .fingerprint(),
            first);
}

TEST(Tokenizer, says_what_is_wrong_with_a_directory) {
  const TemporaryFolder folder;
  const auto error = [&] { return message_of([&] { Tokenizer::load(folder.path()); }); };
  EXPECT_TRUE(says(error(), "expected a file tokenizer.json, found none"));
  write_file_atomic(folder / "tokenizer.model", "x");
  EXPECT_TRUE(says(error(), "save the tokenizer once with transformers"));
  write_file_atomic(folder / "tokenizer.json", letters().dump());
  write_file_atomic(folder / "tokenizer_config.json", R"({"bos_token": 3})");
  EXPECT_TRUE(says(error(), "\"bos_token\": expected text"));
  write_file_atomic(folder / "tokenizer_config.json", "[]");
  EXPECT_TRUE(says(error(), "expected a JSON object"));
  write_file_atomic(folder / "tokenizer_config.json",
                    R"({"added_tokens_decoder": {"77": {"content": "<x>"}}})");
  EXPECT_TRUE(says(error(), "\"<x>\" has the id 77 there, but 30 in the tokenizer"));
}

}  // namespace
}  // namespace lathe
