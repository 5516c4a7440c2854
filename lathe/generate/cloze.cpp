#include "lathe/generate/cloze.h"

#include <nlohmann/json.hpp>
#include <set>

#include "lathe/generate/padded.h"
#include "lathe/generate/prompt_cache.h"
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

  /// What is read once for all choices, from a token on.
  std::vector<int64_t> beginning(int64_t from = 0) const {
    return {tokens[0].begin() + from, tokens[0].begin() + shared};
  }
  /// What is read of a choice behind that: all but its last token, which is only predicted.
  std::vector<int64_t> rest(size_t choice) const {
    return {tokens[choice].begin() + shared, tokens[choice].end() - 1};
  }
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

/// How many of these questions, at least one, are read as one batch.
size_t batch_size(std::span<const ClozeRows> questions) {
  constexpr int64_t positions = 2048;  // in the cache: products near their peak, in little memory
  int64_t rows = 0, longest = 0;
  for (size_t count = 0; count < questions.size(); ++count) {
    const ClozeRows& question = questions[count];
    int64_t own = 0;
    for (size_t i = 0; i < question.tokens.size(); ++i) own += !question.rest(i).empty();
    rows += std::max<int64_t>(1, own);
    longest = std::max(longest, question.longest);
    if (count > 0 && rows * longest > positions) return count;
  }
  return questions.size();
}

/// How many tokens two rows begin with.
int64_t common_beginning(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  return std::ranges::mismatch(a, b).in1 - a.begin();
}

/// Reads into `kept` what the first `count` questions, and the one behind them, begin with, if that
/// spares enough. Returns how many tokens of each of them it holds; one or more are left to read.
int64_t read_beginning(Model& model, std::span<const ClozeRows> questions, size_t count,
                       PromptCache& kept) {
  constexpr int64_t worth_a_pass = 64;  // tokens; a pass over fewer takes as long as over one
  const size_t sharing = std::min(count + 1, questions.size());
  std::vector<int64_t> common = questions[0].beginning();
  for (const ClozeRows& question : questions.first(sharing))
    common.resize(static_cast<size_t>(
        std::min(common_beginning(common, question.beginning()), question.shared - 1)));
  const int64_t held = common_beginning(common, kept.tokens);
  const auto length = static_cast<int64_t>(common.size());
  if ((length - held) * static_cast<int64_t>(sharing - 1) < worth_a_pass) return held;
  read_further(model, common, length, kept);
  return length;
}

/// A batch after it was read: the states from which choices are predicted.
struct ClozeStates {
  Tensor prompts;  ///< (questions, D) after what the choices of each share
  Tensor rests;    ///< (rests, T, D) of the choices that have a rest, in their order
};

/// Reads questions, `held` tokens of each from `kept`.
ClozeStates read_batch(Model& model, std::span<const ClozeRows> batch, int64_t held,
                       const PromptCache& kept) {
  std::vector<std::vector<int64_t>> beginnings, rests;
  std::vector<int64_t> question_of_rest;
  int64_t longest_beginning = 0, longest_rest = 0;
  for (size_t q = 0; q < batch.size(); ++q) {
    longest_beginning = std::max(longest_beginning, batch[q].shared);
    beginnings.push_back(batch[q].beginning(held));
    for (size_t i = 0; i < batch[q].tokens.size(); ++i) {
      const std::vector<int64_t> rest = batch[q].rest(i);
      if (rest.empty()) continue;
      longest_rest = std::max(longest_rest, static_cast<int64_t>(rest.size()));
      rests.push_back(rest);
      question_of_rest.push_back(static_cast<int64_t>(q));
    }
  }
  // Padding is written too.
  KvCache cache =
      model.new_cache(static_cast<int64_t>(batch.size()), longest_beginning + longest_rest);
  cache.begin_with(kept.cache, held);
  ClozeStates states{.prompts = read_rows(model, beginnings, cache), .rests = {}};
  if (rests.empty()) return states;
  cache.keep_rows(question_of_rest);
  states.rests = model.hidden_states(padded(rests, model), &cache);
  return states;
}

/// The log probability of each choice, nats.
std::vector<double> log_probabilities(const Model& model, std::span<const ClozeRows> batch,
                                      const ClozeStates& states) {
  std::vector<Tensor> predicting;
  std::vector<int64_t> targets, choices;  // what is predicted, and the choice that it is part of
  int64_t choice = 0, rest = 0;
  for (size_t q = 0; q < batch.size(); ++q) {
    const ClozeRows& question = batch[q];
    for (size_t i = 0; i < question.tokens.size(); ++i, ++choice) {
      const std::vector<int64_t>& row = question.tokens[i];
      const auto count = static_cast<int64_t>(row.size()) - question.begins[i];
      Tensor from_shared = states.prompts.narrow(0, static_cast<int64_t>(q), 1);
      if (const auto length = static_cast<int64_t>(question.rest(i).size()))
        from_shared = at::cat({from_shared, states.rests[rest++].narrow(0, 0, length)});
      predicting.push_back(from_shared.narrow(0, question.begins[i] - question.shared, count));
      targets.insert(targets.end(), row.begin() + question.begins[i], row.end());
      choices.insert(choices.end(), static_cast<size_t>(count), choice);
    }
  }
  const Tensor losses =
      model.cross_entropy_rows(at::cat(predicting), at::tensor(targets).to(states.prompts.device()))
          .to(at::kCPU, at::kDouble);
  std::vector<double> values(static_cast<size_t>(choice));
  for (size_t i = 0; i < choices.size(); ++i)
    values[static_cast<size_t>(choices[i])] -= losses.const_data_ptr<double>()[i];
  return values;
}

ClozeResult result_of(const ClozeQuestion& question, std::vector<double> log_probabilities) {
  ClozeResult result{.log_probabilities = std::move(log_probabilities)};
  double best = -INFINITY, best_a_byte = -INFINITY;
  for (size_t i = 0; i < question.choices.size(); ++i) {
    const double value = result.log_probabilities[i];
    const double a_byte = value / static_cast<double>(question.choices[i].size());
    if (value > best) best = value, result.likeliest = i;
    if (a_byte > best_a_byte) best_a_byte = a_byte, result.likeliest_a_byte = i;
  }
  return result;
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
  require(
      std::set(question.choices.begin(), question.choices.end()).size() == question.choices.size(),
      "\"choices\": expected texts that differ, found {}", show_json(*choices));
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

std::vector<ClozeResult> answer_cloze(Model& model, const Tokenizer& tokenizer,
                                      std::span<const ClozeQuestion> questions) {
  const at::NoGradGuard no_grad;
  std::vector<ClozeRows> all;
  all.reserve(questions.size());
  for (const ClozeQuestion& question : questions)
    all.push_back(rows_of(question, tokenizer, model));
  PromptCache kept;
  std::vector<ClozeResult> results;
  results.reserve(questions.size());
  for (std::span<const ClozeRows> left = all; !left.empty();) {
    const size_t count = batch_size(left);
    const int64_t held = read_beginning(model, left, count, kept);
    const std::span<const ClozeRows> batch = left.first(count);
    const std::vector<double> values =
        log_probabilities(model, batch, read_batch(model, batch, held, kept));
    for (auto value = values.begin(); value != values.end();) {
      const ClozeQuestion& question = questions[results.size()];
      const auto end = value + static_cast<int64_t>(question.choices.size());
      results.push_back(result_of(question, {value, end}));
      value = end;
    }
    left = left.subspan(count);
  }
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
