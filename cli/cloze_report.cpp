#include "cli/cloze_report.h"

#include <nlohmann/json.hpp>

#include "lathe/generate/cloze.h"
#include "lathe/io/rows.h"

namespace lathe {

std::string cloze_report(Model& model, const Tokenizer& tokenizer,
                         const std::vector<std::string>& files, bool json) {
  size_t questions = 0, right = 0, right_a_byte = 0;
  nlohmann::json answers = nlohmann::json::array();
  PromptCache kept;
  for (const std::string& file : files) {
    const auto rows = open_rows(file);
    for (size_t row = 1; const auto found = rows->next(); ++row) {
      const Context asking("{}:{}", file, row);
      const ClozeQuestion question = cloze_question(*found);
      const ClozeResult result = answer_cloze(model, tokenizer, question, kept);
      ++questions;
      right += result.likeliest == question.answer;
      right_a_byte += result.likeliest_a_byte == question.answer;
      answers.push_back({{"prompt", question.prompt},
                         {"answer", question.choices[question.answer]},
                         {"likeliest", question.choices[result.likeliest]},
                         {"log_probabilities", result.log_probabilities}});
    }
  }
  require(questions > 0, "found no question in {}", fmt::join(files, ", "));
  const auto share = [&](size_t count) {
    return static_cast<double>(count) / static_cast<double>(questions);
  };
  if (json)
    return nlohmann::json{{"questions", questions},
                          {"accuracy", share(right)},
                          {"accuracy_a_byte", share(right_a_byte)},
                          {"answers", answers}}
               .dump() +
           "\n";
  return format("{} questions, {} right ({:.1f} %), by probability a byte {} ({:.1f} %)\n",
                questions, right, 100 * share(right), right_a_byte, 100 * share(right_a_byte));
}

}  // namespace lathe
