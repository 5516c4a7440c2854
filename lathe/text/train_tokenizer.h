// Making a tokenizer from text.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lathe/text/tokenizer.h"

namespace lathe {

/// What tokenizer to make. `auto` and what is empty mean: what is usual for the model.
struct TokenizerOptions {
  std::string model = "bpe";
  int64_t vocab_size = 32000;
  int64_t min_frequency = 2;
  std::string pre_tokenizer = "auto";
  std::string pattern;
  std::string normalization = "auto";
  bool lowercase = false;
  std::vector<std::string> special_tokens;
  std::string bos_token, eos_token, pad_token, unk_token;
  bool add_bos = false;
  bool add_eos = false;
  std::string continuing_prefix = "##";
  bool byte_fallback = true;
  int64_t limit_alphabet = 0;
  int64_t max_token_length = 0;
  int64_t memory_mb = 2048;

  void fields(auto& f) {
    f("model", model,
      "bpe: merges of bytes, as GPT and Llama 3 (arXiv:1508.07909). unigram: as SentencePiece "
      "(arXiv:1804.10959). wordpiece: as BERT.",
      {.choices = {"bpe", "unigram", "wordpiece"}});
    f("vocab_size", vocab_size, "Tokens wanted, special tokens included; less text gives fewer.",
      {.minimum = 1, .maximum = 1 << 24, .unit = "tokens"});
    f("min_frequency", min_frequency, "Merge only pairs that occur this often (bpe, wordpiece).",
      {.minimum = 1, .advanced = true});
    f("pre_tokenizer", pre_tokenizer,
      "How text is split before tokens are made: gpt4 (auto for bpe; numbers in groups of three), "
      "gpt2, whitespace (auto for the others), bytes (no split), none (no split, characters "
      "instead of bytes), regex.",
      {.choices = {"auto", "gpt4", "gpt2", "whitespace", "bytes", "none", "regex"}});
    f("pattern", pattern, "With pre_tokenizer regex: the regular expression of a piece of text.");
    f("normalization", normalization,
      "Unicode normal form; auto is nfkc for unigram, none for the others.",
      {.choices = {"auto", "none", "nfc", "nfkc"}});
    f("lowercase", lowercase, "Make all text lower case.");
    f("special_tokens", special_tokens,
      "Tokens that text is never merged into. Default: <|endoftext|> for bpe; <unk> <s> </s> "
      "<pad> for unigram; [PAD] [UNK] [CLS] [SEP] [MASK] for wordpiece.");
    f("bos_token", bos_token, "The special token that begins a text.");
    f("eos_token", eos_token, "The special token that ends a text.");
    f("pad_token", pad_token, "The special token that fills up a batch.");
    f("unk_token", unk_token, "The special token for what has no other.");
    f("add_bos", add_bos, "Put bos_token before every text.");
    f("add_eos", add_eos, "Put eos_token behind every text.");
    f("continuing_prefix", continuing_prefix,
      "What a token begins with that continues a word (wordpiece).", {.advanced = true});
    f("byte_fallback", byte_fallback,
      "Write unknown characters as bytes, 256 tokens more, instead of unk_token (unigram).",
      {.advanced = true});
    f("limit_alphabet", limit_alphabet,
      "Keep only this many characters, the most frequent; 0 keeps all (not for bytes).",
      {.minimum = 0, .advanced = true});
    f("max_token_length", max_token_length,
      "Longest token in characters (bytes for bpe on bytes); 0 is 16 for unigram, else no limit.",
      {.minimum = 0, .advanced = true});
    f("memory_mb", memory_mb,
      "Memory for the table of distinct words; above it the rarest are forgotten.",
      {.minimum = 16, .maximum = 1 << 20, .unit = "MB", .advanced = true});
  }
};

/// How far training is.
struct TrainingProgress {
  std::string stage;     ///< "reading", "merging pairs", "pruning pieces"
  uint64_t done = 0;     ///< bytes read; tokens there are
  uint64_t total = 0;    ///< tokens wanted; 0 while reading
  uint64_t words = 0;    ///< distinct words so far
  uint64_t dropped = 0;  ///< occurrences of rare words forgotten for lack of memory
};

/// Trains on all texts that `next_text` returns until it returns nothing. Memory is bounded by
/// `memory_mb` and a few times 16 MB of text. Equal texts in equal order give an equal tokenizer,
/// byte for byte, on any number of threads. `progress` is called now and then and must not throw.
/// Throws Error if the options do not fit together, or a text is not valid UTF-8.
Tokenizer train_tokenizer(const TokenizerOptions& options,
                          const std::function<std::optional<std::string>()>& next_text,
                          const std::function<void(const TrainingProgress&)>& progress = {});

}  // namespace lathe
