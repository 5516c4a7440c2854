// What the names in tokenizer.ggml.pre stand for.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace lathe {

/// How a byte-level BPE tokenizer splits text before it merges.
struct GgufPreTokenizer {
  std::string_view name;       ///< in tokenizer.ggml.pre
  std::string_view pattern;    ///< what is a piece; empty: as GPT-2 splits
  bool digits = false;         ///< each digit is a piece of its own
  bool nfc = false;            ///< text is brought to normal form C first
  bool ignore_merges = false;  ///< a piece that is a token is not merged
  bool add_bos = false;        ///< bos begins a text unless the file says otherwise
};

/// The entry with that name. Throws Error that lists the names if there is none.
const GgufPreTokenizer& gguf_pre_tokenizer(std::string_view name);

/// Its "normalizer" and "pre_tokenizer" in tokenizer.json; null where there is none.
nlohmann::json normalizer_of(const GgufPreTokenizer& pre);
nlohmann::json pre_tokenizer_of(const GgufPreTokenizer& pre);

/// The entry that does what a tokenizer.json does. Throws Error that shows its steps if none does.
const GgufPreTokenizer& find_gguf_pre_tokenizer(const nlohmann::json& tokenizer);

}  // namespace lathe
