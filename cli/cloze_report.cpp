#include "cli/cloze_report.h"

#include <nlohmann/json.hpp>

#include "lathe/generate/cloze.h"

namespace lathe {

std::string cloze_report(Model& model, const Tokenizer& tokenizer,
                         const std::vector<std::string>& files, bool json) {
  const std::vector<ClozeQuestion> questions = read_cloze_questions(files, tokenizer, model);
  const std::vector<ClozeResult> results = answer_cloze(model, tokenizer, questions);
  const ClozeScores scores = cloze_scores(questions, results);
  if (!json)
    return format("{} questions, {:.1f} % right, {:.1f} % by probability a byte\n",
                  questions.size(), 100 * scores.accuracy, 100 * scores.accuracy_a_byte);
  nlohmann::json answers = nlohmann::json::array();
  for (size_t i = 0; i < questions.size(); ++i)
    answers.push_back({{"prompt", questions[i].prompt},
                       {"answer", questions[i].choices[questions[i].answer]},
                       {"likeliest", questions[i].choices[results[i].likeliest]},
                       {"log_probabilities", results[i].log_probabilities}});
  return nlohmann::json{{"questions", questions.size()},
                        {"accuracy", scores.accuracy},
                        {"accuracy_a_byte", scores.accuracy_a_byte},
                        {"answers", answers}}
             .dump() +
         "\n";
}

}  // namespace lathe
