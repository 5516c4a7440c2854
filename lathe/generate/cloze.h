// What a model knows, asked by questions with one right answer among wrong ones.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "lathe/model/model.h"
#include "lathe/text/tokenizer.h"

namespace lathe {

/// A text to be continued, and ways to do so.
struct ClozeQuestion {
  std::string prompt;
  std::vector<std::string> choices;
  size_t answer = 0;
};

/// From a row {"prompt", "choices", "answer"}; the answer is a choice or its number, from 0. Throws
/// Error for anything else.
ClozeQuestion cloze_question(const nlohmann::ordered_json& row);

/// The questions of files with such rows. Throws Error if files are given and have none, or if
/// there is one that cannot be put to this model: too long for it, or with tokens it does not know.
std::vector<ClozeQuestion> read_cloze_questions(const std::vector<std::string>& files,
                                                const Tokenizer& tokenizer, const Model& model);

/// The log probability that a model gives to each choice behind the prompt, nats.
struct ClozeResult {
  std::vector<double> log_probabilities;
  /// The choice with the largest log probability, and with the largest one a byte.
  size_t likeliest = 0, likeliest_a_byte = 0;
};

/// Answers questions, neighbours as one batch: a prompt is read once for all its choices, and what
/// many prompts begin with, such as examples, once for all of them.
std::vector<ClozeResult> answer_cloze(Model& model, const Tokenizer& tokenizer,
                                      std::span<const ClozeQuestion> questions);

/// The shares of questions that are answered rightly, by probability and by probability a byte.
struct ClozeScores {
  double accuracy = 0, accuracy_a_byte = 0;
};

/// Of the results of at least one question each.
ClozeScores cloze_scores(std::span<const ClozeQuestion> questions,
                         std::span<const ClozeResult> results);

}  // namespace lathe
