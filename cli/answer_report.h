#pragma once

#include <string>
#include <vector>

#include "lathe/model/model.h"
#include "lathe/text/tokenizer.h"

namespace lathe {

/// How a model's answers are judged.
struct AnswerOptions {
  std::vector<std::string> files;  ///< rows as instruction tuning takes them
  int64_t batch_size = 8;          ///< rows that are answered at once
  int64_t max_new_tokens = 256;    ///< of an answer
  bool json = false;
};

/// How many rows a model answers exactly as they say, white space around answers aside; it takes
/// the likeliest token each time.
std::string answer_report(Model& model, const Tokenizer& tokenizer, const AnswerOptions& options);

}  // namespace lathe
