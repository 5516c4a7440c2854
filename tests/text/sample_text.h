// A small text in several scripts to train tokenizers on.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lathe/text/train_tokenizer.h"

namespace lathe {

inline std::vector<std::string> sample_texts() {
  const std::vector<std::string> lines = {
      "The cat sat on the mat, and the other cats sat on the other mats.",
      "Reading, writing, walking and talking: thinking about singing the longest songs.",
      "for (int i = 0; i < 1234567; ++i) { total += values[i]; }\n\treturn total;\r\n",
      "Die größten Bäume wachsen über den Häusern; überall grünt es.",
      "Быстрые лисы перепрыгивают через ленивых собак. 快速的狐狸跳过懒狗。",
      "🙂 👩‍👩‍👧 e\u0301 \u00a0 １２３ ﬁ",
  };
  std::vector<std::string> texts;
  for (int i = 0; i < 40; ++i)
    for (size_t k = 0; k < lines.size(); ++k) texts.push_back(lines[(k * 5 + i) % lines.size()]);
  return texts;
}

/// Hands out the texts one by one.
inline std::function<std::optional<std::string>()> reader(std::vector<std::string> texts) {
  return [texts = std::move(texts), i = size_t{0}]() mutable -> std::optional<std::string> {
    if (i == texts.size()) return std::nullopt;
    return texts[i++];
  };
}

inline Tokenizer train_sample(TokenizerOptions options) {
  return train_tokenizer(options, reader(sample_texts()));
}

/// Texts that are hard to bring back.
inline std::vector<std::string> hard_texts() {
  return {"",
          " ",
          "  a  b  ",
          "\n\n\t \r\n",
          std::string("a\0b", 3),
          "never seen: ℵ₀ ∀x∈ℝ ⌈x⌉ 𝔘𝔫𝔦 \U0010ffff",
          "👨‍👩‍👧‍👦🏳️‍🌈",
          "e\u0301 \u1e9b\u0323 ﬁ １",
          "1234567890 3.14",
          "<|endoftext|> in the text",
          std::string(5000, 'a') + std::string(3000, ' ')};
}

}  // namespace lathe
