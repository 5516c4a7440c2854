// Text to token ids and back, by a Hugging Face tokenizer.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct LatheTokenizer;

namespace lathe {

/// The content of a tokenizer's files in a Hugging Face directory.
struct TokenizerFiles {
  std::string tokenizer;      ///< tokenizer.json
  std::string config = "{}";  ///< tokenizer_config.json
  /// chat_template.jinja ("default") and additional_chat_templates/NAME.jinja, by name.
  std::map<std::string, std::string> chat_templates = {};
};

/// A tokenizer, with the files around it. Copies share one state; all functions may be called by
/// several threads at once.
class Tokenizer {
 public:
  /// From the content of a tokenizer.json. Its truncation and padding are left out. Throws Error if
  /// it is malformed, gives one id twice, or could make encoding random or unbounded.
  static Tokenizer from_json(std::string_view tokenizer_json);

  /// Takes over an object of the bridge, and the content of a tokenizer_config.json.
  static Tokenizer adopt(LatheTokenizer* tokenizer, std::string_view config_json);

  /// From the content of all files. The config says which tokens have a role, and whether bos and
  /// eos are added to a text.
  static Tokenizer from_files(const TokenizerFiles& files);

  /// From the files in a model directory, special_tokens_map.json among them, or from a GGUF file.
  static Tokenizer load(const std::filesystem::path& path);

  /// The same tokenizer with further special tokens, in that order, behind all ids there are; those
  /// that it has already stay where they are.
  Tokenizer with_special_tokens(const std::vector<std::string>& tokens) const;

  /// The ids of a text; with `add_special_tokens`, those around it too (such as bos). Throws Error
  /// if the text is not valid UTF-8, or a regular expression of the tokenizer gives up on it.
  std::vector<int32_t> encode(std::string_view text, bool add_special_tokens = true) const;

  /// `encode` of each text, in parallel.
  std::vector<std::vector<int32_t>> encode_batch(std::span<const std::string_view> texts,
                                                 bool add_special_tokens = true) const;

  /// The ids of a text, and where in it (bytes) the token of each begins and ends.
  struct Places {
    std::vector<int32_t> ids;
    std::vector<std::pair<size_t, size_t>> places;
  };
  Places encode_with_places(std::string_view text, bool add_special_tokens = true) const;

  /// The text of ids; those without a token are left out, and special tokens if so wished. Throws
  /// Error for negative ids.
  std::string decode(std::span<const int32_t> ids, bool skip_special_tokens = true) const;

  /// One more than the greatest id, added tokens included: the rows an embedding needs.
  int64_t vocab_size() const;

  /// The id of a token as the vocabulary writes it; nothing if there is none.
  std::optional<int32_t> token_id(std::string_view token) const;
  /// The token of an id as the vocabulary writes it. Throws Error if there is none.
  std::string token(int32_t id) const;
  bool has_token(int32_t id) const;
  /// How many bytes of a text a token stands for: none if it is special, about as many if it is a
  /// part of a character.
  uint64_t bytes_of(int32_t id) const { return decode({&id, 1}).size(); }
  /// Whether decoding skips this id with `skip_special_tokens`. False for ids without a token.
  bool is_special(int32_t id) const;

  std::optional<int32_t> bos_id() const;
  /// That one if the tokenizer itself puts it before a text.
  std::optional<int32_t> own_bos_id() const;
  std::optional<int32_t> eos_id() const;
  std::optional<int32_t> pad_id() const;
  std::optional<int32_t> unk_id() const;

  /// A hash of the tokenizer.json in use: equal tokenizers encode equally. For caches.
  const std::string& fingerprint() const;

  /// What `save` writes.
  TokenizerFiles files() const;

  /// Writes tokenizer.json, tokenizer_config.json and the files of the chat templates, each in one
  /// step. The directory is made if missing.
  void save(const std::filesystem::path& directory) const;

  /// The decoder of tokenizer.json as JSON; "null" if it has none.
  const std::string& decoder_json() const;

  /// Whether decode() ends by removing spaces before punctuation, and that step alone.
  bool cleans_up_spaces() const;
  static std::string clean_up_spaces(std::string text);
  /// decode() without that step.
  std::string decode_raw(std::span<const int32_t> ids, bool skip_special_tokens) const;

 private:
  struct State;
  explicit Tokenizer(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace lathe
