#include "lathe/generate/cloze.h"

#include <nlohmann/json.hpp>

#include "lathe/io/json.h"

namespace lathe {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& row, const char* name) {
  const auto found = row.find(name);
  if (found == row.end() || !found->is_string()) fail("\"{}\": expected a text", name);
  return found->get<std::string>();
}

/// A prompt with one choice, and where the tokens of the choice begin.
struct Continuation {
  std::vector<int32_t> ids;
  size_t begin = 0;
};

Continuation continuation(const Tokenizer& tokenizer, const std::vector<int32_t>& prompt,
                          const std::string& text) {
  Continuation c{tokenizer.encode(text), 0};
  const auto [differs, _] = std::ranges::mismatch(c.ids, prompt);
  c.begin = static_cast<size_t>(differs - c.ids.begin());
  require(c.begin > 0 && c.begin < c.ids.size(),
          "a choice needs tokens behind at least one of the prompt: {}", text);
  return c;
}

}  // namespace

ClozeQuestion cloze_question(const Json& row) {
  ClozeQuestion question{.prompt = text_of(row, "prompt"), .choices = {}};
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

ClozeResult answer_cloze(Model& model, const Tokenizer& tokenizer, const ClozeQuestion& question) {
  const at::NoGradGuard no_grad;
  const std::vector<int32_t> prompt = tokenizer.encode(question.prompt);
  std::vector<Continuation> rows;
  size_t longest = 0;
  for (const std::string& choice : question.choices) {
    rows.push_back(continuation(tokenizer, prompt, question.prompt + choice));
    longest = std::max(longest, rows.back().ids.size());
  }
  require(static_cast<int64_t>(longest) <= model.config().max_position_embeddings,
          "a question of {} tokens does not fit the model's context of {}", longest,
          model.config().max_position_embeddings);
  const Tensor ids = at::zeros({static_cast<int64_t>(rows.size()), static_cast<int64_t>(longest)},
                               at::kLong);  // what stands behind a row is seen by nobody
  for (size_t i = 0; i < rows.size(); ++i)
    std::ranges::copy(rows[i].ids, ids.mutable_data_ptr<int64_t>() + i * longest);
  const Tensor hidden = model.hidden_states({ids.to(model.device()), {}, {}});  // (C, T, D)

  ClozeResult result;
  double best = -INFINITY, best_a_byte = -INFINITY;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto row = static_cast<int64_t>(i), begin = static_cast<int64_t>(rows[i].begin);
    const int64_t count = static_cast<int64_t>(rows[i].ids.size()) - begin;
    const Tensor targets = ids[row].narrow(0, begin, count).to(hidden.device());
    const double value =
        -model.cross_entropy(hidden[row].narrow(0, begin - 1, count), targets).item<double>();
    result.log_probabilities.push_back(value);
    const double a_byte = value / static_cast<double>(question.choices[i].size());
    if (value > best) best = value, result.likeliest = i;
    if (a_byte > best_a_byte) best_a_byte = a_byte, result.likeliest_a_byte = i;
  }
  return result;
}

}  // namespace lathe
