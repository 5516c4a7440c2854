// What a model expected at each position of a text.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "lathe/model/model.h"
#include "lathe/text/tokenizer.h"
#include "lathe/train/observer.h"

namespace lathe {

/// One token of a text, as the model saw it coming.
struct TokenLoss {
  struct Guess {
    std::string text;
    double probability;
  };
  std::string text;            ///< the true token
  double loss;                 ///< its -log probability, nats
  std::vector<Guess> guesses;  ///< the likeliest, most probable first
};

/// Every token of `text` that something precedes. Throws Error if the text has more than `length`
/// tokens.
std::vector<TokenLoss> token_losses(Model& model, const Tokenizer& tokenizer,
                                    const std::string& text, int64_t length);

Evaluation summary(const std::vector<TokenLoss>& table, const Tokenizer& tokenizer,
                   const std::string& text);
nlohmann::json to_json(const std::vector<TokenLoss>& table);
std::string to_text(const std::vector<TokenLoss>& table);

}  // namespace lathe
