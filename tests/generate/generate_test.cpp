#include "lathe/generate/generate.h"

#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace lathe {
namespace {

using Prompts = std::vector<std::vector<int64_t>>;

/// A tokenizer whose tokens are a few words, and a model with random weights.
class Generate : public testing::Test {
 protected:
  Generate() {
    ModelConfig c;
    c.vocab_size = 12;
    c.hidden_size = 16;
    c.intermediate_size = 24;
    c.num_hidden_layers = 2;
    c.num_attention_heads = 4;
    c.num_key_value_heads = 2;
    c.max_position_embeddings = 64;
    c.initializer_range = 0.5;  // so that what comes depends on what was
    model_ = new_model(c, 3);
    greedy_.draw.temperature = 0;
    greedy_.max_new_tokens = 8;
  }

  std::vector<int64_t> continued(const std::vector<int64_t>& prompt, PromptCache* kept = nullptr) {
    return generate(*model_, tokenizer_, Prompts{prompt}, greedy_, {}, kept).at(0).tokens;
  }

  Tokenizer tokenizer_ = Tokenizer::from_json(R"({"model": {"type": "WordLevel", "unk_token": "w0",
      "vocab": {"w0": 0, "w1": 1, "w2": 2, "w3": 3, "w4": 4, "w5": 5, "w6": 6, "w7": 7, "w8": 8,
                "w9": 9, "w10": 10, "w11": 11}}, "pre_tokenizer": {"type": "Whitespace"}})");
  std::unique_ptr<Model> model_;
  SamplingOptions greedy_;
};

TEST_F(Generate, goes_on_from_what_the_cache_holds_as_if_it_read_everything) {
  PromptCache kept;
  std::vector<int64_t> talk = {1, 2, 3};
  for (int turn = 0; turn < 4; ++turn) {
    const std::vector<int64_t> expected = continued(talk);
    EXPECT_EQ(continued(talk, &kept), expected) << "turn " << turn;
    EXPECT_GE(kept.tokens.size(), talk.size());
    talk.insert(talk.end(), expected.begin(), expected.end());
    talk.push_back(turn + 4);
  }
}

TEST_F(Generate, forgets_what_a_changed_conversation_no_longer_says) {
  PromptCache kept;
  continued({1, 2, 3, 4, 5, 6}, &kept);
  EXPECT_EQ(continued({1, 2, 9}, &kept), continued({1, 2, 9}));
  EXPECT_EQ(continued({1, 2}, &kept), continued({1, 2}));
  EXPECT_EQ(continued({7}, &kept), continued({7}));
}

TEST_F(Generate, can_be_interrupted_and_go_on) {
  PromptCache kept;
  struct Enough {};
  int pieces = 0;
  const auto stop = [&](size_t, std::string_view) {
    if (++pieces == 3) throw Enough();
  };
  EXPECT_THROW(generate(*model_, tokenizer_, Prompts{{1, 2, 3}}, greedy_, stop, &kept), Enough);
  EXPECT_EQ(continued({1, 2, 3, 5}, &kept), continued({1, 2, 3, 5}));
}

TEST_F(Generate, gives_each_row_what_it_would_get_alone) {
  const Prompts prompts = {{1, 2, 3, 4}, {5}, {6, 7}};
  const std::vector<Completion> together = generate(*model_, tokenizer_, prompts, greedy_);
  for (size_t i = 0; i < prompts.size(); ++i)
    EXPECT_EQ(together[i].tokens, continued(prompts[i])) << "row " << i;
}

TEST_F(Generate, draws_as_the_model_says_unless_it_is_told_otherwise) {
  const std::vector<int64_t> likeliest = continued({1, 2, 3});
  greedy_.draw = {};
  greedy_.max_new_tokens = 40;
  const std::vector<int64_t> drawn = continued({1, 2, 3});
  model_->set_generation_config({.sampling = {.top_k = 1}});
  const std::vector<int64_t> as_the_model_says = continued({1, 2, 3});
  EXPECT_TRUE(std::ranges::equal(std::span(as_the_model_says).first(likeliest.size()), likeliest));
  EXPECT_NE(as_the_model_says, drawn);
  greedy_.draw.top_k = 0;
  EXPECT_EQ(continued({1, 2, 3}), drawn);
}

TEST_F(Generate, ends_at_the_tokens_that_the_model_names) {
  const std::vector<int64_t> whole = continued({1, 2, 3});
  model_->set_generation_config({.eos_token_id = {99, whole[4]}});
  const Completion ended = generate(*model_, tokenizer_, Prompts{{1, 2, 3}}, greedy_).at(0);
  EXPECT_EQ(ended.end, Completion::End::eos);
  const auto first = std::ranges::find(whole, whole[4]) - whole.begin();
  EXPECT_EQ(static_cast<int64_t>(ended.tokens.size()), first);
}

TEST_F(Generate, refuses_what_does_not_fit) {
  const auto error = [&](const std::vector<int64_t>& prompt) {
    return message_of([&] { continued(prompt); });
  };
  EXPECT_TRUE(says(error(std::vector<int64_t>(60, 1)), "do not fit the model's context of 64"));
  EXPECT_TRUE(says(error({12}), "the model knows those below 12"));
  EXPECT_TRUE(says(error({}), "at least one token"));
}

}  // namespace
}  // namespace lathe
