// A tokenizer whose tokens are bytes.
#pragma once

#include "lathe/text/train_tokenizer.h"

namespace lathe {

/// With an end-of-text token "</s>" if so wished.
inline Tokenizer byte_tokenizer(bool with_end = false) {
  TokenizerOptions options;
  options.vocab_size = 260;
  if (with_end) {
    options.special_tokens = {"</s>"};
    options.eos_token = "</s>";
  }
  bool given = false;
  return train_tokenizer(options, [&]() -> std::optional<std::string> {
    if (std::exchange(given, true)) return std::nullopt;
    return "abc";
  });
}

}  // namespace lathe
