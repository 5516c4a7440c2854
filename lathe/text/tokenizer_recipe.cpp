#include "lathe/text/tokenizer_recipe.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "lathe/base/error.h"

namespace lathe {
namespace {

using nlohmann::json;

// Words with the space before them, numbers in groups of three digits, punctuation, and white
// space: the pattern that cl100k_base and Llama 3 made usual.
constexpr const char* gpt4_pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* whitespace_pattern = R"( ?\S+|\s+(?!\S)|\s+)";

bool is(const TokenizerOptions& options, std::string_view model) {
  return options.model == model;
}

/// Byte-level: each byte of the text is a character of the model's alphabet.
bool byte_level(const TokenizerOptions& options) {
  return is(options, "bpe") && options.pre_tokenizer != "none";
}

bool has_token(const TokenizerOptions& options, const std::string& token) {
  return std::find(options.special_tokens.begin(), options.special_tokens.end(), token) !=
         options.special_tokens.end();
}

void fill_special_tokens(TokenizerOptions& options) {
  const auto fill = [&](std::string& role, const char* usual) {
    if (role.empty() && has_token(options, usual)) role = usual;
  };
  if (is(options, "bpe")) {
    if (options.special_tokens.empty()) {
      options.special_tokens = {"<|endoftext|>"};
      if (!byte_level(options)) options.special_tokens.emplace_back("<unk>");
    }
    fill(options.eos_token, "<|endoftext|>");
    fill(options.bos_token, "<|endoftext|>");
    fill(options.unk_token, "<unk>");
  } else if (is(options, "unigram")) {
    if (options.special_tokens.empty()) options.special_tokens = {"<unk>", "<s>", "</s>", "<pad>"};
    fill(options.unk_token, "<unk>");
    fill(options.bos_token, "<s>");
    fill(options.eos_token, "</s>");
    fill(options.pad_token, "<pad>");
  } else {
    if (options.special_tokens.empty())
      options.special_tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    fill(options.unk_token, "[UNK]");
    fill(options.pad_token, "[PAD]");
  }
  for (const std::string* role :
       {&options.bos_token, &options.eos_token, &options.pad_token, &options.unk_token}) {
    if (!role->empty() && !has_token(options, *role)) options.special_tokens.push_back(*role);
  }
}

void check_tokens(const TokenizerOptions& options) {
  std::set<std::string> seen;
  for (const std::string& token : options.special_tokens) {
    require(!token.empty(), "special_tokens: expected tokens that are not empty");
    require(seen.insert(token).second, "special_tokens: \"{}\" is there twice", token);
  }
  require(!options.add_bos || !options.bos_token.empty(), "add_bos needs a bos_token");
  require(!options.add_eos || !options.eos_token.empty(), "add_eos needs an eos_token");
  require(byte_level(options) || !options.unk_token.empty(),
          "a {} tokenizer needs an unk_token for characters it has not seen", options.model);
}

void check_split(const TokenizerOptions& options) {
  const std::string& split = options.pre_tokenizer;
  const std::set<std::string> all = {"gpt4", "gpt2", "whitespace", "bytes", "none", "regex"};
  const std::set<std::string> others = {"whitespace", "none"};
  const std::set<std::string>& allowed = is(options, "bpe") ? all
                                         : is(options, "unigram")
                                             ? others
                                             : std::set<std::string>{"whitespace"};
  require(allowed.contains(split),
          "pre_tokenizer: expected one of {} for the model {}, found \"{}\"",
          fmt::join(allowed, ", "), options.model, split);
  require((split == "regex") != options.pattern.empty(),
          "\"pattern\" is for pre_tokenizer regex, which needs it");
}

/// Whether [CLS] and [SEP] go around a text, as BERT has them.
bool classifies(const TokenizerOptions& options) {
  return is(options, "wordpiece") && !options.add_bos && !options.add_eos &&
         has_token(options, "[CLS]") && has_token(options, "[SEP]");
}

json byte_level_split(bool gpt2) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", gpt2}};
}

json replace(const char* from, const char* to) {
  return {{"type", "Replace"}, {"pattern", {{"String", from}}}, {"content", to}};
}

/// Whether spaces are written as U+2581 and a text begins with one, as SentencePiece does.
bool marks_spaces(const TokenizerOptions& options) {
  return is(options, "unigram") && options.pre_tokenizer != "none";
}

json pre_tokenizer(const TokenizerOptions& options) {
  const std::string& split = options.pre_tokenizer;
  if (is(options, "wordpiece")) return {{"type", "BertPreTokenizer"}};
  if (split == "none") return nullptr;
  if (marks_spaces(options))
    return {
        {"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "never"}, {"split", true}};
  if (split == "gpt2" || split == "bytes") return byte_level_split(split == "gpt2");
  const std::string pattern = split == "gpt4"         ? gpt4_pattern
                              : split == "whitespace" ? whitespace_pattern
                                                      : options.pattern;
  const json split_by = {{"type", "Split"},
                         {"pattern", {{"Regex", pattern}}},
                         {"behavior", "Isolated"},
                         {"invert", false}};
  return {{"type", "Sequence"}, {"pretokenizers", {split_by, byte_level_split(false)}}};
}

json normalizer(const TokenizerOptions& options) {
  json steps = json::array();
  if (options.normalization == "nfc") steps.push_back({{"type", "NFC"}});
  if (options.normalization == "nfkc") steps.push_back({{"type", "NFKC"}});
  if (is(options, "wordpiece"))
    steps.push_back({{"type", "BertNormalizer"},
                     {"clean_text", true},
                     {"handle_chinese_chars", true},
                     {"strip_accents", nullptr},
                     {"lowercase", options.lowercase}});
  else if (options.lowercase)
    steps.push_back({{"type", "Lowercase"}});
  // The pre-tokenizer's own mark would be missing before a text that begins with a space.
  if (marks_spaces(options)) {
    steps.push_back({{"type", "Prepend"}, {"prepend", "▁"}});
    steps.push_back(replace(" ", "▁"));
  }
  if (steps.empty()) return nullptr;
  if (steps.size() == 1) return steps[0];
  return {{"type", "Sequence"}, {"normalizers", steps}};
}

json decoder(const TokenizerOptions& options) {
  if (is(options, "wordpiece"))
    return {{"type", "WordPiece"}, {"prefix", options.continuing_prefix}, {"cleanup", false}};
  if (byte_level(options)) return byte_level_split(true);
  json steps = json::array();
  if (marks_spaces(options)) steps.push_back(replace("▁", " "));
  if (is(options, "unigram") && options.byte_fallback) steps.push_back({{"type", "ByteFallback"}});
  steps.push_back({{"type", "Fuse"}});
  if (marks_spaces(options))
    steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  return {{"type", "Sequence"}, {"decoders", steps}};
}

}  // namespace

TokenizerOptions complete_options(TokenizerOptions options) {
  require(is(options, "bpe") || is(options, "unigram") || is(options, "wordpiece"),
          "model: expected one of bpe, unigram, wordpiece, found \"{}\"", options.model);
  if (options.pre_tokenizer == "auto")
    options.pre_tokenizer = is(options, "bpe") ? "gpt4" : "whitespace";
  if (options.normalization == "auto")
    options.normalization = is(options, "unigram") ? "nfkc" : "none";
  const std::set<std::string> forms = {"none", "nfc", "nfkc"};
  require(forms.contains(options.normalization), "normalization: expected one of {}, found \"{}\"",
          fmt::join(forms, ", "), options.normalization);
  check_split(options);
  fill_special_tokens(options);
  check_tokens(options);
  return options;
}

json trainer_config(const TokenizerOptions& options) {
  const bool unigram = is(options, "unigram");
  const int64_t longest = options.max_token_length > 0 ? options.max_token_length
                          : unigram                    ? 16
                                                       : INT32_MAX;
  return {{"model", options.model},
          {"vocab_size", options.vocab_size},
          {"min_frequency", options.min_frequency},
          {"max_token_length", longest},
          {"limit_alphabet", options.limit_alphabet},
          {"byte_level", byte_level(options)},
          {"byte_fallback", unigram && options.byte_fallback},
          {"continuing_prefix", is(options, "wordpiece") ? options.continuing_prefix : ""},
          {"max_word_length", 100},
          {"special_tokens", options.special_tokens},
          {"unk_token", options.unk_token.empty() ? json(nullptr) : json(options.unk_token)},
          {"memory", options.memory_mb << 20},
          {"normalizer", normalizer(options)},
          {"pre_tokenizer", pre_tokenizer(options)},
          {"decoder", decoder(options)}};
}

json trained_config(const TokenizerOptions& options) {
  json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                 {"clean_up_tokenization_spaces", false}};
  const auto role = [&](const char* key, const std::string& token) {
    if (!token.empty()) config[key] = token;
  };
  role("bos_token", options.bos_token);
  role("eos_token", options.eos_token);
  role("pad_token", options.pad_token);
  role("unk_token", options.unk_token);
  if (is(options, "wordpiece")) {
    for (const auto& [key, token] :
         {std::pair("cls_token", "[CLS]"), {"sep_token", "[SEP]"}, {"mask_token", "[MASK]"}})
      if (has_token(options, token)) config[key] = token;
  }
  // transformers puts bos and eos around a text by these alone.
  if (!classifies(options)) {
    config["add_bos_token"] = options.add_bos;
    config["add_eos_token"] = options.add_eos;
  }
  return config;
}

json trained_template(const TokenizerOptions& options) {
  json single = nullptr;
  if (classifies(options)) single = {"[CLS]", nullptr, "[SEP]"};
  return {{"tokens", json::array()}, {"single", single}};
}

}  // namespace lathe
