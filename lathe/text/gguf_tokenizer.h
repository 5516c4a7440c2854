// The tokenizer inside a GGUF file: keys tokenizer.ggml.* and tokenizer.chat_template.
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md#tokenizer
#pragma once

#include <cstdint>

#include "lathe/io/gguf.h"
#include "lathe/text/tokenizer.h"

namespace lathe {

/// Whether a GGUF has a tokenizer: models made for other programs may have none.
bool has_gguf_tokenizer(const GgufMetadata& metadata);

/// The tokenizer of a GGUF, of the kinds "gpt2" (byte-level BPE) and "llama" (SentencePiece BPE),
/// as files that encode as the original did. Its text is split as tokenizer.ggml.pre says. Throws
/// Error for another kind, an unknown tokenizer.ggml.pre, and arrays that do not fit each other.
TokenizerFiles read_gguf_tokenizer(const GgufMetadata& metadata);

/// Adds the keys of a tokenizer. `rows` is the number of rows of the embedding: ids that no token
/// has are filled. Throws Error if GGUF cannot say what the tokenizer does: it is not BPE, splits
/// text in a way that has no name there, or merges in another order than scores can express.
void write_gguf_tokenizer(const Tokenizer& tokenizer, int64_t rows, GgufFields& fields);

}  // namespace lathe
