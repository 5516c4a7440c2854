#include "lathe/generate/cloze.h"

#include <nlohmann/json.hpp>

#include "lathe/generate/padded.h"
#include "lathe/io/json.h"
#include "lathe/io/rows.h"

namespace lathe {
namespace {

using Json = nlohmann::ordered_json;

/// How many tokens `row`, a prompt with a choice, has in common with the prompt.
int64_t common_tokens(const std::vector<int64_t>& row, const std::vector<int32_t>& prompt,
                      const std::string& text) {
  const auto [differs, _] = std::ranges::mismatch(row, prompt);
  require(differs != row.begin() && differs != row.end(),
          "a choice needs tokens behind at least one of the prompt: {}", text);
  return differs - row.begin();
}

/// A question as the model reads it.
struct ClozeRows {
  std::vector<std::vector<int64_t>> tokens;  ///< the prompt with each choice
  std::vector<int64_t> begins;               ///< of the choices' tokens
  int64_t shared = 0;                        ///< tokens that all begin with
  int64_t longest = 0;
};

/// Throws Error if the model cannot read it.
ClozeRows rows_of(const ClozeQuestion& question, const Tokenizer& tokenizer, const Model& model) {
  const std::vector<int32_t> prompt = tokenizer.encode(question.prompt);
  ClozeRows rows;
  for (const std::string& choice : question.choices) {
    const std::string text = question.prompt + choice;
    const std::vector<int32_t> ids = tokenizer.encode(text);
    rows.tokens.emplace_back(ids.begin(), ids.end());
    rows.begins.push_back(common_tokens(rows.tokens.back(), prompt, text));
    rows.longest = std::max(rows.longest, static_cast<int64_t>(ids.size()));
    require_known_tokens(rows.tokens.back(), model);
  }
  require(rows.longest <= model.config().max_position_embeddings,
          "a question of {} tokens does not fit the model's context of {}", rows.longest,
          model.config().max_position_embeddings);
  rows.shared = *std::ranges::min_element(rows.begins);
  return rows;
}

}  // namespace

ClozeQuestion cloze_question(const Json& row) {
  ClozeQuestion question{.prompt = get_string(row, "prompt"), .choices = {}};
  const auto choices = row.find("choices");
  if (choices == row.end() || !choices->is_array() || choices->size() < 2)
    fail("\"choices\": expected at least two texts");
  for (const Json& choice : *choices) {
    if (!choice.is_string() || choice.get_ref<const std::string&>().empty())
      fail("\"choices\": expected texts, found {}", show_json(choice));
    question.choices.push_back(choice.get<std::string>());
  }
  const auto answer = row.find("answer");
  if (answer == row.end()) fail("\"answer\": expected a choice or its number, found none");
  if (answer->is_number_unsigned()) {
    question.answer = answer->get<size_t>();
  } else {
    const auto found = answer->is_string()
                           ? std::ranges::find(question.choices, answer->get<std::string>())
                           : question.choices.end();
    question.answer = static_cast<size_t>(found - question.choices.begin());
  }
  require(question.answer < question.choices.size(),
          "\"answer\": expected one of the choices, or a number from 0 to {}, found {}",
          question.choices.size() - 1, answer->dump());
  return question;
}

std::vector<ClozeQuestion> read_cloze_questions(const std::vector<std::string>& files,
                                                const Tokenizer& tokenizer, const Model& model) {
  std::vector<ClozeQuestion> questions;
  for (const std::string& file : files) {
    const auto rows = open_rows(file);
    for (size_t row = 1; const auto found = rows->next(); ++row) {
      const Context reading("{}:{}", file, row);
      questions.push_back(cloze_question(*found));
      rows_of(questions.back(), tokenizer, model);  // now, rather than in the middle of a run
    }
  }
  require(files.empty() || !questions.empty(), "found no question in {}", fmt::join(files, ", "));
  return questions;
}

ClozeResult answer_cloze(Model& model, const Tokenizer& tokenizer, const ClozeQuestion& question,
                         PromptCache& kept) {
  const at::NoGradGuard no_grad;
  const auto [rows, begins, shared, slots] = rows_of(question, tokenizer, model);
  const std::vector<int64_t> beginning(rows[0].begin(), rows[0].begin() + shared);
  const Tensor after_prompt = read_further(model, beginning, slots, kept);  // (1, D)

  std::vector<std::vector<int64_t>> rests;
  rests.reserve(rows.size());
  for (const std::vector<int64_t>& row : rows) rests.emplace_back(row.begin() + shared, row.end());
  Tensor hidden;  // (C, T, D) of the rests; not needed where each is one token
  if (slots > shared + 1) {
    KvCache cache = model.new_cache(static_cast<int64_t>(rows.size()), slots);
    cache.begin_with(kept.cache, shared);
    hidden = model.hidden_states(padded(rests, model), &cache);
  }
  ClozeResult result;
  double best = -INFINITY, best_a_byte = -INFINITY;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto count = static_cast<int64_t>(rows[i].size()) - begins[i];
    Tensor predicting = after_prompt;  // from the end of the shared part on
    if (hidden.defined()) predicting = at::cat({after_prompt, hidden[static_cast<int64_t>(i)]});
    const Tensor targets =
        at::tensor(at::ArrayRef(rows[i]).slice(static_cast<size_t>(begins[i]))).to(model.device());
    const double value =
        -model.cross_entropy(predicting.narrow(0, begins[i] - shared, count), targets)
             .item<double>();
    result.log_probabilities.push_back(value);
    const double a_byte = value / static_cast<double>(question.choices[i].size());
    if (value > best) best = value, result.likeliest = i;
    if (a_byte > best_a_byte) best_a_byte = a_byte, result.likeliest_a_byte = i;
  }
  return result;
}

std::vector<ClozeResult> answer_cloze(Model& model, const Tokenizer& tokenizer,
                                      std::span<const ClozeQuestion> questions) {
  PromptCache kept;
  std::vector<ClozeResult> results;
  results.reserve(questions.size());
  for (const ClozeQuestion& question : questions)
    results.push_back(answer_cloze(model, tokenizer, question, kept));
  return results;
}

ClozeScores cloze_scores(std::span<const ClozeQuestion> questions,
                         std::span<const ClozeResult> results) {
  size_t right = 0, right_a_byte = 0;
  for (size_t i = 0; i < questions.size(); ++i) {
    right += results[i].likeliest == questions[i].answer;
    right_a_byte += results[i].likeliest_a_byte == questions[i].answer;
  }
  const auto all = static_cast<double>(questions.size());
  return {static_cast<double>(right) / all, static_cast<double>(right_a_byte) / all};
}

}  // namespace lathe
