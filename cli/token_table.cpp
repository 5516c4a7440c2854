#include "cli/token_table.h"

#include <nlohmann/json.hpp>

#include "lathe/generate/padded.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

constexpr int64_t guesses_shown = 5;

/// A token on one line, between quotes: spaces and line ends are visible.
std::string shown(const std::string& token) {
  const auto replace = nlohmann::json::error_handler_t::replace;  // parts of a UTF-8 character
  return escape_controls(nlohmann::json(token).dump(-1, ' ', false, replace));
}

}  // namespace

std::vector<TokenLoss> token_losses(Model& model, const Tokenizer& tokenizer,
                                    const std::string& text, int64_t length) {
  const at::NoGradGuard no_grad;
  const std::vector<int32_t> ids = tokenizer.encode(text);
  const auto count = static_cast<int64_t>(ids.size());
  require(count <= length, "the text has {} tokens, more than the context of {}", count, length);
  require(count >= 2, "the text has {} tokens: expected at least 2, one to predict from", count);
  const Tensor hidden = model.hidden_states(padded({{ids.begin(), ids.end()}}, model));
  const Tensor log_probs =
      at::log_softmax(model.logits(hidden)[0].to(at::kCPU, at::kFloat), 1);  // (T, V)
  const auto [best, best_ids] = log_probs.topk(std::min(guesses_shown, log_probs.size(1)), 1);
  std::vector<TokenLoss> table;
  for (int64_t t = 0; t + 1 < count; ++t) {
    const int32_t id = ids[static_cast<size_t>(t) + 1];
    TokenLoss row{tokenizer.decode({&id, 1}, false), -log_probs[t][id].item<double>(), {}};
    for (int64_t i = 0; i < best.size(1); ++i) {
      const auto guess = static_cast<int32_t>(best_ids[t][i].item<int64_t>());
      row.guesses.push_back(
          {tokenizer.decode({&guess, 1}, false), std::exp(best[t][i].item<double>())});
    }
    table.push_back(std::move(row));
  }
  return table;
}

Evaluation summary(const std::vector<TokenLoss>& table, const Tokenizer& tokenizer,
                   const std::string& text) {
  Evaluation e;
  for (const TokenLoss& row : table) e.loss += row.loss / static_cast<double>(table.size());
  e.tokens = static_cast<double>(table.size());
  // The first token is not predicted.
  e.text_bytes = static_cast<double>(text.size()) -
                 static_cast<double>(tokenizer.bytes_of(tokenizer.encode(text).at(0)));
  return e;
}

nlohmann::json to_json(const std::vector<TokenLoss>& table) {
  nlohmann::json list = nlohmann::json::array();
  for (const TokenLoss& row : table) {
    nlohmann::json guesses = nlohmann::json::array();
    for (const TokenLoss::Guess& g : row.guesses)
      guesses.push_back({{"token", g.text}, {"probability", g.probability}});
    list.push_back({{"token", row.text}, {"loss", row.loss}, {"likeliest", guesses}});
  }
  return list;
}

std::string to_text(const std::vector<TokenLoss>& table) {
  std::string out = format("{:<16} {:>7}  expected\n", "token", "loss");
  for (const TokenLoss& row : table) {
    std::string guesses;
    for (const TokenLoss::Guess& g : row.guesses)
      guesses += format("{} {:.0f}%  ", shown(g.text), 100 * g.probability);
    out += format("{:<16} {:>7.3f}  {}\n", shown(row.text), row.loss, guesses);
  }
  return out;
}

}  // namespace lathe
