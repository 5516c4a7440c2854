#include "cli/labeller.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "lathe/generate/classify_texts.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

/// A text as a column of a line.
std::string in_a_line(std::string text) {
  for (char& c : text)
    if (c == '\t' || c == '\n' || c == '\r') c = ' ';
  return escape_controls(text);
}

}  // namespace

Labeller::Labeller(OpenModel opened, size_t batch_size, bool json)
    : opened_(std::move(opened)),
      batch_size_(batch_size),
      json_(json),
      type_(problem_type_named(opened_.model->config().problem_type)) {}

void Labeller::add(std::string text, const std::string& place) {
  if (text.find_first_not_of(" \t\r\n") == text.npos) {
    if (blank_++ == 0) first_blank_ = place;
    return;
  }
  texts_.push_back(std::move(text));
  if (texts_.size() >= batch_size_) flush();
}

void Labeller::flush() {
  if (texts_.empty()) return;
  const Tensor logits = classify_texts(*opened_.model, opened_.tokenizer, texts_);
  for (size_t i = 0; i < texts_.size(); ++i)
    print(stdout, line(texts_[i], logits[static_cast<int64_t>(i)]));
  std::fflush(stdout);
  texts_.clear();
}

std::string Labeller::left_out() const {
  if (blank_ == 0) return {};
  return format("{} without any text were left out, the first is {}", blank_, first_blank_);
}

std::string Labeller::line(const std::string& text, const Tensor& logits) const {
  if (type_ == ProblemType::regression) {
    const auto value = logits[0].item<double>();
    if (!json_) return format("{:.4f}\t{}\n", value, in_a_line(text));
    return nlohmann::json{{"text", text}, {"value", value}}.dump() + "\n";
  }
  const bool one = type_ == ProblemType::single_label_classification;
  const Tensor chances = one ? at::softmax(logits, 0) : at::sigmoid(logits);
  const std::vector<std::string>& names = opened_.model->config().labels;
  nlohmann::json all = nlohmann::json::object();
  std::vector<std::string> chosen;
  for (size_t i = 0; i < names.size(); ++i) {
    const auto chance = chances[static_cast<int64_t>(i)].item<double>();
    all[names[i]] = chance;
    if (!one && chance > 0.5) chosen.push_back(names[i]);
  }
  if (one) chosen = {names[static_cast<size_t>(chances.argmax().item<int64_t>())]};
  if (!json_)
    return one ? format("{}\t{:.4f}\t{}\n", in_a_line(chosen[0]), chances.max().item<double>(),
                        in_a_line(text))
               : format("{}\t{}\n", in_a_line(format("{}", fmt::join(chosen, ","))),
                        in_a_line(text));
  nlohmann::json row = {{"text", text}, {"probabilities", all}};
  if (one)
    row["label"] = chosen[0];
  else
    row["labels"] = chosen;
  return row.dump() + "\n";
}

}  // namespace lathe
