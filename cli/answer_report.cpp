#include "cli/answer_report.h"

#include <nlohmann/json.hpp>

#include "cli/dates.h"
#include "lathe/data/example.h"
#include "lathe/generate/generate.h"
#include "lathe/io/rows.h"

namespace lathe {
namespace {

std::string trimmed(const std::string& text) {
  constexpr const char* spaces = " \t\r\n";
  const size_t begin = text.find_first_not_of(spaces);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(spaces) - begin + 1);
}

/// The prompt as it is read in training: templates write their own bos.
std::vector<int64_t> tokens_of(const Exchange& exchange, const Tokenizer& tokenizer) {
  std::vector<int64_t> tokens;
  if (const auto bos = tokenizer.own_bos_id(); bos && !exchange.complete) tokens.push_back(*bos);
  for (const int32_t id : tokenizer.encode(exchange.prompt, false)) tokens.push_back(id);
  return tokens;
}

/// Answers exchanges as they come, a batch at a time.
class Examination {
 public:
  Examination(Model& model, const Tokenizer& tokenizer, const AnswerOptions& options)
      : model_(model), tokenizer_(tokenizer), options_(options) {}

  /// Throws Error if the prompt has no token, or leaves no room for an answer.
  void add(const ExampleReader& reader, const nlohmann::ordered_json& row,
           const std::string& place) {
    const Context asking("{}", place);
    pending_.push_back(reader.exchange(row));
    prompts_.push_back(tokens_of(pending_.back(), tokenizer_));
    const auto tokens = static_cast<int64_t>(prompts_.back().size());
    require(tokens > 0 && tokens < model_.config().max_position_embeddings,
            "a prompt of {} tokens: expected some, and room for an answer in the context of {}",
            tokens, model_.config().max_position_embeddings);
  }
  bool is_full() const { return pending_.size() == static_cast<size_t>(options_.batch_size); }

  void answer() {
    if (pending_.empty()) return;
    SamplingOptions greedy;
    greedy.max_new_tokens = options_.max_new_tokens;
    greedy.draw.temperature = 0;
    const std::vector<Completion> found = generate(model_, tokenizer_, prompts_, greedy);
    for (size_t i = 0; i < found.size(); ++i) {
      right_ += trimmed(found[i].text) == trimmed(pending_[i].answer);
      answers_.push_back({{"prompt", pending_[i].prompt},
                          {"answer", pending_[i].answer},
                          {"found", found[i].text}});
    }
    prompts_.clear();
    pending_.clear();
  }

  size_t right() const { return right_; }
  const nlohmann::json& answers() const { return answers_; }

 private:
  Model& model_;
  const Tokenizer& tokenizer_;
  const AnswerOptions& options_;
  std::vector<Exchange> pending_;
  std::vector<std::vector<int64_t>> prompts_;
  nlohmann::json answers_ = nlohmann::json::array();
  size_t right_ = 0;
};

}  // namespace

std::string answer_report(Model& model, const Tokenizer& tokenizer, const AnswerOptions& options) {
  const ExampleReader reader({.time = local_time()}, ChatTemplates(tokenizer));
  Examination examination(model, tokenizer, options);
  for (const std::string& file : options.files) {
    const auto rows = open_rows(file);
    for (size_t row = 1; const auto found = rows->next(); ++row) {
      examination.add(reader, *found, format("{}:{}", file, row));
      if (examination.is_full()) examination.answer();
    }
  }
  examination.answer();
  const size_t rows = examination.answers().size();
  require(rows > 0, "found no row in {}", fmt::join(options.files, ", "));
  const double share = static_cast<double>(examination.right()) / static_cast<double>(rows);
  const nlohmann::json all = {
      {"rows", rows}, {"exact_match", share}, {"answers", examination.answers()}};
  if (options.json)
    return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return format("{} rows, {} answered exactly ({:.1f} %)\n", rows, examination.right(),
                100 * share);
}

}  // namespace lathe
