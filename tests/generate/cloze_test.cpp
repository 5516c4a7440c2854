#include "lathe/generate/cloze.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lathe/base/file.h"
#include "tests/support/byte_tokenizer.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

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
  EXPECT_TRUE(fails(R"({"choices": ["b", "c"], "answer": 0})", "\"prompt\": expected a string"));
  EXPECT_TRUE(fails(R"({"prompt": "a", "choices": ["b"], "answer": 0})", "at least two texts"));
  EXPECT_TRUE(fails(R"({"prompt": "a", "choices": ["b", ""], "answer": 0})", "expected texts"));
  EXPECT_TRUE(
      fails(R"({"prompt": "a", "choices": ["b", "c"], "answer": 2})", "from 0 to 1, found 2"));
  EXPECT_TRUE(
      fails(R"({"prompt": "a", "choices": ["b", "c"], "answer": "d"})", "one of the choices"));
  EXPECT_TRUE(fails(R"({"prompt": "a", "choices": ["b", "c"]})", "found none"));
}

std::unique_ptr<Model> small_model(int64_t context = 2048) {
  ModelConfig config;
  config.vocab_size = 260;
  config.hidden_size = 16;
  config.intermediate_size = 24;
  config.num_hidden_layers = 1;
  config.num_attention_heads = 2;
  config.max_position_embeddings = context;
  return new_model(config, 3);
}

TEST(ClozeQuestions, that_cannot_be_asked_are_errors_with_their_place) {
  const TemporaryFolder folder;
  const Tokenizer tokenizer = byte_tokenizer();
  const auto model = small_model(8);
  const std::string file = (folder / "q.jsonl").string();
  const auto error = [&](const std::string& rows) {
    write_file_atomic(file, rows);
    return message_of([&] { read_cloze_questions({file}, tokenizer, *model); });
  };
  const std::string good = R"({"prompt": "a", "choices": ["b", "c"], "answer": 0})"
                           "\n";
  EXPECT_TRUE(says(error(good + R"({"prompt": "a"})"), "q.jsonl:2"));
  const std::string longer = R"({"prompt": "a", "choices": ["b", "12345678"], "answer": 0})"
                             "\n";
  EXPECT_TRUE(says(error(good + longer), "q.jsonl:2"));
  EXPECT_TRUE(says(error(longer), "9 tokens does not fit the model's context of 8"));
  EXPECT_TRUE(says(error(""), "found no question"));
  EXPECT_TRUE(read_cloze_questions({}, tokenizer, *model).empty());
  write_file_atomic(file, good + good);
  EXPECT_EQ(read_cloze_questions({file, file}, tokenizer, *model).size(), 4U);
}

TEST(ClozeScores, are_shares_of_questions_by_either_measure) {
  const ClozeQuestion asked{.prompt = "a", .choices = {"b", "c"}, .answer = 1};
  const ClozeResult wrong{.log_probabilities = {}, .likeliest = 0, .likeliest_a_byte = 1},
      right{.log_probabilities = {}, .likeliest = 1, .likeliest_a_byte = 1};
  const ClozeScores scores =
      cloze_scores(std::vector(4, asked), std::vector{wrong, wrong, right, wrong});
  EXPECT_EQ(scores.accuracy, 0.25);
  EXPECT_EQ(scores.accuracy_a_byte, 1);
}

/// Log probabilities of choices, each read alone.
std::vector<double> read_alone(Model& model, const Tokenizer& tokenizer,
                               const ClozeQuestion& asked) {
  const at::NoGradGuard no_grad;
  std::vector<double> sums;
  for (const std::string& choice : asked.choices) {
    const std::vector<int32_t> ids = tokenizer.encode(asked.prompt + choice);
    const Tensor row = at::tensor(std::vector<int64_t>(ids.begin(), ids.end())).unsqueeze(0);
    const Tensor log_probs =
        at::log_softmax(model.logits(model.hidden_states({row, {}, {}}))[0], 1);
    double sum = 0;
    for (size_t t = asked.prompt.size(); t < ids.size(); ++t)
      sum += log_probs[static_cast<int64_t>(t) - 1][ids[t]].item<double>();
    sums.push_back(sum);
  }
  return sums;
}

void expect_as_alone(Model& model, const std::vector<ClozeQuestion>& questions) {
  const Tokenizer tokenizer = byte_tokenizer();
  const std::vector<ClozeResult> results = answer_cloze(model, tokenizer, questions);
  ASSERT_EQ(results.size(), questions.size());
  for (size_t q = 0; q < questions.size(); ++q) {
    const std::vector<double> expected = read_alone(model, tokenizer, questions[q]);
    ASSERT_EQ(results[q].log_probabilities.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(results[q].log_probabilities[i], expected[i], 1e-4) << questions[q].prompt;
    EXPECT_EQ(results[q].likeliest,
              static_cast<size_t>(std::ranges::max_element(expected) - expected.begin()));
  }
}

std::vector<ClozeQuestion> mixed_questions() {
  return {{.prompt = "xy", .choices = {"a", "bcd", "ef"}},
          {.prompt = "xyz is longer", .choices = {"abc", "abd"}},
          {.prompt = "xyz is longer still", .choices = {"a", "b", "c", "d"}},
          {.prompt = "xyz", .choices = {"longer than it was", "a"}},
          {.prompt = "another", .choices = {"a", "b"}}};
}

TEST(Cloze, takes_the_choice_that_the_model_finds_likeliest) {
  expect_as_alone(*small_model(), mixed_questions());
  expect_as_alone(*small_model(22), mixed_questions());  // padding reaches behind the context
}

TEST(Cloze, answers_as_alone_whatever_neighbours_begin_with) {
  const std::string examples(300, 'e'), others(900, 'o');
  std::vector<ClozeQuestion> questions;
  for (const std::string& beginning : {examples, examples, others, std::string(), examples}) {
    for (ClozeQuestion question : mixed_questions()) {
      question.prompt = beginning + question.prompt;
      questions.push_back(question);
    }
    questions.push_back({.prompt = beginning + "all choices are a token", .choices = {"a", "b"}});
    questions.push_back({.prompt = beginning + "again", .choices = {"a", "b"}});
  }
  expect_as_alone(*small_model(), questions);
  EXPECT_TRUE(answer_cloze(*small_model(), byte_tokenizer(), {}).empty());
}

}  // namespace
}  // namespace lathe
