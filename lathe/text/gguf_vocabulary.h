// The arrays tokenizer.ggml.tokens, .token_type and .scores, which say what each id is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lathe/io/gguf_metadata.h"

namespace lathe {

/// What tokenizer.ggml.token_type says of a token.
enum class GgufToken : int32_t {
  normal = 1,
  unknown = 2,
  control = 3,       ///< special: not shown, and never found in a text that is merely data
  user_defined = 4,  ///< found in a text before anything else
  unused = 5,
  byte = 6,  ///< <0x00> to <0xFF>
};

struct GgufVocabulary {
  std::vector<std::string_view> tokens;  ///< by id, views of the file, valid UTF-8, all different
  std::vector<GgufToken> types;          ///< as many
  std::vector<float> scores;             ///< as many, or none
};

/// The vocabulary of a file. Throws Error for lists of different lengths, unknown types, scores
/// that are not finite, and tokens that are there twice.
GgufVocabulary read_gguf_vocabulary(const GgufMetadata& metadata);

/// What SentencePiece writes for a space.
constexpr std::string_view space_mark = "\u2581";

/// `text` with `to` in each place of `from`, which must not be empty.
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

/// A name that fills an id without a token, such as "[PAD7]".
std::string gguf_padding_token(int64_t id);

/// The merges of SentencePiece BPE, which the scores of tokens imply: each way to put a token
/// together from two others, those of the highest score first. As ids. `spelled` is each token as
/// the merging sees it. Throws Error for tokens that are too long to be merged.
std::vector<std::pair<int32_t, int32_t>> merges_from_scores(const std::vector<std::string>& spelled,
                                                            const std::vector<GgufToken>& types,
                                                            const std::vector<float>& scores);

}  // namespace lathe
