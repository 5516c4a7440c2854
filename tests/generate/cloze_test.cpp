#include "lathe/generate/cloze.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/byte_tokenizer.h"
#include "tests/support/errors.h"

namespace lathe {
namespace {

using Json = nlohmann::ordered_json;

ClozeQuestion question(const char* row) {
  return cloze_question(Json::parse(row));
}

TEST(ClozeQuestion, has_the_answer_as_a_choice_or_its_number) {
  EXPECT_EQ(question(R"({"prompt": "a", "choices": ["b", "c"], "answer": "c"})").answer, 1U);
  EXPECT_EQ(question(R"({"prompt": "a", "choices": ["b", "c"], "answer": 0})").answer, 0U);
}

TEST(ClozeQuestion, of_another_shape_is_an_error) {
  const auto fails = [](const char* row, const char* part) {
    return says(message_of([&] { question(row); }), part);
  };
  EXPECT_TRUE(fails(R"({"choices": ["b", "c"], "answer": 0})", "\"prompt\": expected a text"));
  EXPECT_TRUE(fails(R"({"prompt": "a", "choices": ["b"], "answer": 0})", "at least two texts"));
  EXPECT_TRUE(fails(R"({"prompt": "a", "choices": ["b", ""], "answer": 0})", "expected texts"));
  EXPECT_TRUE(
      fails(R"({"prompt": "a", "choices": ["b", "c"], "answer": 2})", "from 0 to 1, found 2"));
  EXPECT_TRUE(
      fails(R"({"prompt": "a", "choices": ["b", "c"], "answer": "d"})", "one of the choices"));
  EXPECT_TRUE(fails(R"({"prompt": "a", "choices": ["b", "c"]})", "found none"));
}

TEST(Cloze, takes_the_choice_that_the_model_finds_likeliest) {
  const Tokenizer tokenizer = byte_tokenizer();
  ModelConfig config;
  config.vocab_size = 260;
  config.hidden_size = 16;
  config.intermediate_size = 24;
  config.num_hidden_layers = 1;
  config.num_attention_heads = 2;
  const auto model = new_model(config, 3);
  const at::NoGradGuard no_grad;
  PromptCache kept;  // one for questions that begin the same, and others
  for (const ClozeQuestion& asked :
       {ClozeQuestion{.prompt = "xy", .choices = {"a", "bcd", "ef"}},
        {.prompt = "xyz is longer", .choices = {"abc", "abd"}},
        {.prompt = "xyz is longer still", .choices = {"a", "b", "c", "d"}},
        {.prompt = "xyz", .choices = {"longer than it was", "a"}},
        {.prompt = "another", .choices = {"a", "b"}}}) {
    const ClozeResult result = answer_cloze(*model, tokenizer, asked, kept);
    std::vector<double> expected;
    for (const std::string& choice : asked.choices) {  // each alone, token by token
      const std::vector<int32_t> ids = tokenizer.encode(asked.prompt + choice);
      const Tensor row = at::tensor(std::vector<int64_t>(ids.begin(), ids.end())).unsqueeze(0);
      const Tensor log_probs =
          at::log_softmax(model->logits(model->hidden_states({row, {}, {}}))[0], 1);
      double sum = 0;
      for (size_t t = asked.prompt.size(); t < ids.size(); ++t)
        sum += log_probs[static_cast<int64_t>(t) - 1][ids[t]].item<double>();
      expected.push_back(sum);
    }
    for (size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(result.log_probabilities[i], expected[i], 1e-4) << asked.prompt;
    EXPECT_EQ(result.likeliest,
              static_cast<size_t>(std::ranges::max_element(expected) - expected.begin()));
  }
}

}  // namespace
}  // namespace lathe
