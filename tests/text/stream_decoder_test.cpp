#include "lathe/text/stream_decoder.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lathe/base/file.h"
#include "lathe/base/random.h"
#include "lathe/io/utf8.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"
#include "tests/text/sample_text.h"

namespace lathe {
namespace {

using nlohmann::json;

struct Streamed {
  std::string text;
  std::vector<std::string> parts;
};

Streamed stream(const Tokenizer& tokenizer, const std::vector<int32_t>& ids, bool skip = true) {
  StreamDecoder decoder(tokenizer, skip);
  Streamed out;
  for (const int32_t id : ids) out.parts.push_back(decoder.add(id));
  out.parts.push_back(decoder.finish());
  for (const std::string& part : out.parts) {
    EXPECT_TRUE(is_valid_utf8(part));
    out.text += part;
  }
  return out;
}

Tokenizer sample(const std::string& model, const std::string& split = "auto") {
  TokenizerOptions options;
  options.model = model;
  options.pre_tokenizer = split;
  options.vocab_size = 500;
  return train_sample(options);
}

/// A model with the given tokens (ids 0, 1, ...) and decoder; token 0 is special.
Tokenizer with_decoder(const std::vector<std::string>& tokens, const json& decoder,
                       const json& config = json::object()) {
  json vocab = json::object();
  for (size_t i = 0; i < tokens.size(); ++i) vocab[tokens[i]] = i;
  const json special = {{"id", 0},         {"content", tokens[0]}, {"single_word", false},
                        {"lstrip", false}, {"rstrip", false},      {"normalized", false},
                        {"special", true}};
  const json model = {{"type", "WordLevel"}, {"vocab", vocab}, {"unk_token", tokens[0]}};
  const json whole = {{"version", "1.0"},
                      {"added_tokens", json::array({special})},
                      {"decoder", decoder},
                      {"model", model}};
  const TemporaryFolder folder;
  write_file_atomic(folder / "tokenizer.json", whole.dump());
  write_file_atomic(folder / "tokenizer_config.json", config.dump());
  return Tokenizer::load(folder.path());
}

void expect_random_ids_stream_exactly(const Tokenizer& tokenizer, uint64_t seed) {
  Random random(seed);
  for (int round = 0; round < 150; ++round) {
    std::vector<int32_t> ids(random.below(60));
    for (int32_t& id : ids)
      id = static_cast<int32_t>(random.below(static_cast<uint64_t>(tokenizer.vocab_size()) + 2));
    for (const bool skip : {true, false})
      ASSERT_EQ(stream(tokenizer, ids, skip).text, tokenizer.decode(ids, skip)) << json(ids).dump();
  }
}

TEST(StreamDecoder, gives_all_of_the_text_for_any_ids) {
  expect_random_ids_stream_exactly(sample("bpe"), 1);
  expect_random_ids_stream_exactly(sample("bpe", "none"), 2);
  expect_random_ids_stream_exactly(sample("unigram"), 3);
  expect_random_ids_stream_exactly(sample("wordpiece"), 4);
}

TEST(StreamDecoder, gives_each_word_at_once) {
  for (const std::string model : {"bpe", "unigram", "wordpiece"}) {
    const Tokenizer tokenizer = sample(model);
    const std::vector<int32_t> ids = tokenizer.encode("the cat sat on the mat", false);
    const Streamed out = stream(tokenizer, ids);
    EXPECT_EQ(out.text, "the cat sat on the mat") << model;
    // The mark before the first word may be a token, and has no text.
    for (size_t i = 1; i < ids.size(); ++i) EXPECT_NE(out.parts[i], "") << model << " " << i;
    EXPECT_EQ(out.parts.back(), "") << model;
  }
}

TEST(StreamDecoder, holds_back_half_a_character) {
  const Tokenizer tokenizer = sample("bpe");
  const std::string bytes[] = {"ð", "Ł", "ļ", "Ģ"};  // of U+1F680, as byte-level models write them
  StreamDecoder decoder(tokenizer);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(decoder.add(tokenizer.token_id(bytes[i]).value()), "") << i;
  EXPECT_EQ(decoder.add(tokenizer.token_id(bytes[3]).value()), "\U0001F680");
  EXPECT_EQ(decoder.add(tokenizer.token_id(bytes[0]).value()), "");
  EXPECT_EQ(decoder.finish(), "\uFFFD");
}

TEST(StreamDecoder, an_endless_run_of_broken_bytes_stays_quick_and_flows) {
  const Tokenizer tokenizer = sample("bpe");
  const int32_t broken = tokenizer.token_id("ÿ").value();
  const std::vector<int32_t> ids(3000, broken);
  const Streamed out = stream(tokenizer, ids);
  EXPECT_EQ(out.text, tokenizer.decode(ids));
  EXPECT_LE(out.parts.back().size(), 3u);
}

TEST(StreamDecoder, a_run_of_byte_tokens_is_valid_as_a_whole_or_not_at_all) {
  const json decoder = {{"type", "Sequence"},
                        {"decoders",
                         {{{"type", "Replace"}, {"pattern", {{"String", "▁"}}}, {"content", " "}},
                          {{"type", "ByteFallback"}},
                          {{"type", "Fuse"}},
                          {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}}}};
  const Tokenizer tokenizer =
      with_decoder({"<s>", "<0xC3>", "<0xA9>", "<0xFF>", "▁a", "b", "▁"}, decoder);
  StreamDecoder stepwise(tokenizer);
  EXPECT_EQ(stepwise.add(4), "a");
  EXPECT_EQ(stepwise.add(1), "");
  EXPECT_EQ(stepwise.add(2), "");  // é, but another byte would spoil it
  EXPECT_EQ(stepwise.add(4), "é a");
  EXPECT_EQ(stepwise.add(0), "");
  EXPECT_EQ(stepwise.finish(), "");
  expect_random_ids_stream_exactly(tokenizer, 5);
}

TEST(StreamDecoder, follows_every_decoder) {
  const std::vector<std::string> tokens = {"<s>", "a", "##b", "c</w>", "▁d", "|", ".", " ", "n't"};
  const std::vector<json> decoders = {
      nullptr,
      {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}},
      {{"type", "BPEDecoder"}, {"suffix", "</w>"}},
      {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}, {"split", true}},
      {{"type", "CTC"}, {"pad_token", "<s>"}, {"word_delimiter_token", "|"}, {"cleanup", true}},
      {{"type", "Fuse"}},
      {{"type", "Sequence"},
       {"decoders",
        {{{"type", "Fuse"}},
         {{"type", "Replace"}, {"pattern", {{"Regex", "a+"}}}, {"content", "x"}}}}},
      {{"type", "Sequence"},
       {"decoders",
        {{{"type", "Fuse"}}, {{"type", "Strip"}, {"content", "a"}, {"start", 2}, {"stop", 0}}}}},
  };
  for (size_t i = 0; i < decoders.size(); ++i) {
    SCOPED_TRACE(decoders[i].dump());
    expect_random_ids_stream_exactly(with_decoder(tokens, decoders[i]), 10 + i);
  }
}

TEST(StreamDecoder, waits_for_spaces_that_cleaning_up_removes) {
  const Tokenizer tokenizer =
      with_decoder({"<s>", "it", "'s", ".", "'", "ve", "n't", "x", " ", "'m", ",", "do"}, nullptr,
                   {{"clean_up_tokenization_spaces", true}});
  EXPECT_EQ(tokenizer.decode(std::vector<int32_t>{1, 2, 7, 3}), "it's x.");
  EXPECT_EQ(tokenizer.decode(std::vector<int32_t>{11, 6, 7, 10, 7}), "don't x, x");
  StreamDecoder decoder(tokenizer);
  EXPECT_EQ(decoder.add(1), "");
  EXPECT_EQ(decoder.add(2), "");
  EXPECT_EQ(decoder.add(7), "it's");
  EXPECT_EQ(decoder.add(7), " x");
  expect_random_ids_stream_exactly(tokenizer, 30);
}

TEST(StreamDecoder, begins_anew_after_finish) {
  const Tokenizer tokenizer = sample("unigram");
  StreamDecoder decoder(tokenizer);
  for (int round = 0; round < 2; ++round) {
    std::string text;
    for (const int32_t id : tokenizer.encode("the cat", false)) text += decoder.add(id);
    EXPECT_EQ(text + decoder.finish(), "the cat");
  }
}

TEST(StreamDecoder, refuses_negative_ids) {
  const Tokenizer tokenizer = sample("bpe");
  StreamDecoder decoder(tokenizer);
  EXPECT_TRUE(says(message_of([&] { decoder.add(-1); }), "found -1"));
}

}  // namespace
}  // namespace lathe
