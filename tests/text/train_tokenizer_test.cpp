#include "lathe/text/train_tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "lathe/base/file.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"
#include "tests/text/sample_text.h"

namespace lathe {
namespace {

TokenizerOptions options(const std::string& model, const std::string& split = "auto") {
  TokenizerOptions options;
  options.model = model;
  options.pre_tokenizer = split;
  options.vocab_size = model == "unigram" ? 500 : 420;
  return options;
}

std::string saved(const Tokenizer& tokenizer) {
  const TemporaryFolder folder;
  tokenizer.save(folder.path());
  return read_file(folder / "tokenizer.json") + read_file(folder / "tokenizer_config.json");
}

TEST(TrainTokenizer, byte_level_models_bring_every_text_back) {
  for (const std::string split : {"gpt4", "gpt2", "whitespace", "bytes", "regex"}) {
    TokenizerOptions o = options("bpe", split);
    if (split == "regex") o.pattern = R"(\w+|\W)";
    const Tokenizer tokenizer = train_sample(o);
    EXPECT_EQ(tokenizer.vocab_size(), 420) << split;
    for (const std::string& text : hard_texts())
      EXPECT_EQ(tokenizer.decode(tokenizer.encode(text), false), text) << split;
  }
}

TEST(TrainTokenizer, is_the_same_each_time_byte_for_byte) {
  for (const std::string model : {"bpe", "unigram", "wordpiece"}) {
    const std::string first = saved(train_sample(options(model)));
    EXPECT_EQ(saved(train_sample(options(model))), first) << model;
  }
}

TEST(TrainTokenizer, does_not_depend_on_the_order_of_texts) {
  std::vector<std::string> texts = sample_texts();
  const std::string first = saved(train_tokenizer(options("unigram"), reader(texts)));
  std::reverse(texts.begin(), texts.end());
  EXPECT_EQ(saved(train_tokenizer(options("unigram"), reader(texts))), first);
}

TEST(TrainTokenizer, bpe_shortens_what_it_has_seen) {
  const Tokenizer tokenizer = train_sample(options("bpe"));
  const std::string text = sample_texts()[0];
  EXPECT_LT(tokenizer.encode(text).size() * 2, text.size());
  EXPECT_EQ(tokenizer.token_id("<|endoftext|>"), 0);
  EXPECT_EQ(tokenizer.eos_id(), 0);
  EXPECT_EQ(tokenizer.unk_id(), std::nullopt);
}

TEST(TrainTokenizer, gpt4_split_keeps_digits_in_groups_of_three) {
  TokenizerOptions o = options("bpe", "gpt4");
  o.vocab_size = 900;
  const Tokenizer tokenizer = train_sample(o);
  for (const int32_t id : tokenizer.encode("1234567")) EXPECT_LE(tokenizer.token(id).size(), 3u);
  EXPECT_EQ(tokenizer.token(tokenizer.encode("1234567")[0]), "123");
}

TEST(TrainTokenizer, special_tokens_in_the_text_stay_whole_and_unmerged) {
  const std::vector<std::string> texts(50, "x<|endoftext|>y <|endoftext|>");
  const Tokenizer tokenizer = train_tokenizer(options("bpe"), reader(texts));
  EXPECT_FALSE(tokenizer.token_id("endoftext"));
  const std::vector<int32_t> ids = tokenizer.encode("x<|endoftext|>y");
  ASSERT_EQ(ids.size(), 3u);
  EXPECT_EQ(ids[1], 0);
  EXPECT_EQ(tokenizer.decode(ids), "xy");
}

TEST(TrainTokenizer, unigram_with_bytes_brings_back_what_nfkc_keeps) {
  TokenizerOptions o = options("unigram");
  o.normalization = "none";
  const Tokenizer tokenizer = train_sample(o);
  for (const std::string text : {"The cats sat", "never seen: ℵ₀ 𝔘𝔫𝔦", "a\n\tb  c", " x "})
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  EXPECT_EQ(tokenizer.bos_id(), 1);
  EXPECT_EQ(tokenizer.pad_id(), 3);
}

TEST(TrainTokenizer, unigram_never_takes_the_token_of_a_byte_for_text) {
  const Tokenizer tokenizer = train_sample(options("unigram"));
  const int32_t byte = tokenizer.token_id("<0x41>").value();
  for (const int32_t id : tokenizer.encode("<0x41>")) EXPECT_NE(id, byte);
}

TEST(TrainTokenizer, wordpiece_continues_words_and_puts_cls_and_sep_around) {
  TokenizerOptions o = options("wordpiece");
  o.lowercase = true;
  const Tokenizer tokenizer = train_sample(o);
  EXPECT_TRUE(tokenizer.token_id("##ing"));
  const std::vector<int32_t> ids = tokenizer.encode("The CATS");
  EXPECT_EQ(tokenizer.token(ids.front()), "[CLS]");
  EXPECT_EQ(tokenizer.token(ids.back()), "[SEP]");
  EXPECT_EQ(tokenizer.decode(ids), "the cats");
}

TEST(TrainTokenizer, adds_bos_and_eos_if_told) {
  TokenizerOptions o = options("bpe");
  o.special_tokens = {"<s>", "</s>"};
  o.bos_token = "<s>";
  o.eos_token = "</s>";
  o.add_bos = o.add_eos = true;
  const TemporaryFolder folder;
  train_sample(o).save(folder.path());
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  const std::vector<int32_t> ids = tokenizer.encode("The cat");
  EXPECT_EQ(ids.front(), 0);
  EXPECT_EQ(ids.back(), 1);
  EXPECT_EQ(tokenizer.encode("The cat", false),
            std::vector<int32_t>(ids.begin() + 1, ids.end() - 1));
}

TEST(TrainTokenizer, says_how_far_it_is) {
  std::vector<TrainingProgress> reports;
  train_tokenizer(options("bpe"), reader(sample_texts()),
                  [&](const TrainingProgress& p) { reports.push_back(p); });
  ASSERT_GE(reports.size(), 2u);
  EXPECT_EQ(reports.front().stage, "reading");
  EXPECT_GT(reports.front().words, 20u);
  EXPECT_EQ(reports.back().stage, "merging pairs");
  EXPECT_EQ(reports.back().total, 420u);
}

TEST(TrainTokenizer, refuses_options_that_do_not_fit_together) {
  const auto error = [](const TokenizerOptions& o) { return message_of([&] { train_sample(o); }); };
  EXPECT_TRUE(says(error(options("bert")), "bpe, unigram, wordpiece"));
  EXPECT_TRUE(says(error(options("wordpiece", "gpt2")), "whitespace"));
  EXPECT_TRUE(says(error(options("bpe", "regex")), "pattern"));
  TokenizerOptions o = options("bpe");
  o.normalization = "nfd";
  EXPECT_TRUE(says(error(o), "nfc, nfkc, none"));
  o = options("bpe");
  o.vocab_size = 100;
  EXPECT_TRUE(says(error(o), "at least 257 tokens"));
  o = options("bpe");
  o.add_bos = true;
  o.special_tokens = {"<x>"};
  EXPECT_TRUE(says(error(o), "add_bos needs a bos_token"));
  o.special_tokens = {"<x>", "<x>"};
  EXPECT_TRUE(says(error(o), "twice"));
  o = options("bpe", "regex");
  o.pattern = "(unclosed";
  EXPECT_TRUE(says(error(o), "training a tokenizer"));
}

TEST(TrainTokenizer, refuses_text_that_is_no_utf8_and_no_text_at_all) {
  const auto error = [](std::vector<std::string> texts) {
    return message_of([&] { train_tokenizer(options("bpe"), reader(std::move(texts))); });
  };
  EXPECT_TRUE(says(error({"fine", "bro\xffken"}), "invalid sequence at byte 3"));
  EXPECT_TRUE(says(error({}), "no text"));
  EXPECT_TRUE(says(error({"", ""}), "no text"));
}

TEST(TrainTokenizer, forgets_rare_words_rather_than_run_out_of_memory) {
  TokenizerOptions o = options("bpe");
  o.memory_mb = 1;
  std::string text;
  for (int i = 0; i < 40'000; ++i) {
    for (int n = i + 40'000; n > 0; n /= 26) text += static_cast<char>('a' + n % 26);
    text += " the cat ";
  }
  TrainingProgress last;
  const Tokenizer tokenizer =
      train_tokenizer(o, reader({text}), [&](const TrainingProgress& p) { last = p; });
  EXPECT_GT(last.dropped, 20'000u);
  EXPECT_LT(last.words, 20'000u);
  EXPECT_TRUE(tokenizer.token_id("Ġthe"));
}

}  // namespace
}  // namespace lathe
