#include "lathe/text/tokenizer.h"

#include <array>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "lathe/base/file.h"
#include "lathe/base/hash.h"
#include "lathe/io/json.h"
#include "lathe/text/gguf_tokenizer.h"
#include "lathe/text/tokenizer_config.h"
#include "rust/lathe_bridge.hpp"

namespace lathe {
namespace {

using nlohmann::json;

std::string part(const LatheTokenizer* tokenizer, uint32_t which) {
  LatheBytes out, error;
  bridge::check(lathe_tokenizer_part(tokenizer, which, &out, &error), error);
  return bridge::take(out);
}

bridge::TokenizerPointer parse(std::string_view tokenizer_json) {
  LatheTokenizer* tokenizer = nullptr;
  LatheBytes error;
  bridge::check(lathe_tokenizer_new(bridge::text_of(tokenizer_json), &tokenizer, &error), error);
  return bridge::TokenizerPointer(tokenizer);
}

}  // namespace

struct Tokenizer::State {
  bridge::TokenizerPointer tokenizer;
  json config;
  TokenizerRoles roles;
  std::map<std::string, std::string> chat_templates;  // see TokenizerFiles
  std::string decoder;
  bool clean_up = false;
  mutable std::once_flag hashed;
  mutable std::string fingerprint;
};

Tokenizer Tokenizer::adopt(LatheTokenizer* tokenizer, std::string_view config_json) {
  auto state = std::make_shared<State>();
  state->tokenizer.reset(tokenizer);
  state->config = json::parse(config_json);
  {
    const Context doing("{}", tokenizer_config_file);
    state->roles = read_roles(state->config);
    const std::string changes = tokenizer_changes(state->config).dump();
    LatheBytes error;
    bridge::check(lathe_tokenizer_adjust(tokenizer, bridge::text_of(changes), &error), error);
  }
  state->decoder = part(tokenizer, LATHE_TOKENIZER_DECODER);
  state->clean_up =
      state->roles.clean_up_spaces &&
      (part(tokenizer, LATHE_TOKENIZER_MODEL) != "BPE" || state->roles.clean_up_spaces_for_bpe);
  return Tokenizer(std::move(state));
}

Tokenizer Tokenizer::from_json(std::string_view tokenizer_json) {
  const Context doing("reading a {}", tokenizer_file);
  return adopt(parse(tokenizer_json).release(), "{}");
}

Tokenizer Tokenizer::from_files(const TokenizerFiles& files) {
  bridge::TokenizerPointer parsed;
  {
    const Context reading("{}", tokenizer_file);
    parsed = parse(files.tokenizer);
  }
  Tokenizer tokenizer = adopt(parsed.release(), files.config);
  // The state is shared with nobody yet.
  const_cast<State&>(*tokenizer.state_).chat_templates = files.chat_templates;
  return tokenizer;
}

Tokenizer Tokenizer::with_special_tokens(const std::vector<std::string>& tokens) const {
  const Context doing("adding special tokens");
  for (const std::string& token : tokens) require(!token.empty(), "a token cannot be empty");
  json config = state_->config;
  add_special_tokens(config, tokens);
  return from_files(
      {part(state_->tokenizer.get(), LATHE_TOKENIZER_JSON), config.dump(), state_->chat_templates});
}

Tokenizer Tokenizer::load(const fs::path& path) {
  const Context doing("loading the tokenizer of {}", path.string());
  if (is_gguf(path)) return from_files(read_gguf_tokenizer(GgufFile(path).fields()));
  if (!fs::exists(path / tokenizer_file)) {
    const bool sentencepiece = fs::exists(path / "tokenizer.model");
    fail("expected a file {}, found none{}", tokenizer_file,
         sentencepiece ? "; tokenizer.model alone is not read: save the tokenizer once with "
                         "transformers, which writes tokenizer.json"
                       : "");
  }
  return from_files({read_file(path / tokenizer_file), load_tokenizer_config(path).dump(),
                     load_chat_templates(path)});
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, bool add_special_tokens) const {
  return std::move(encode_batch(std::array{text}, add_special_tokens).front());
}

std::vector<std::vector<int32_t>> Tokenizer::encode_batch(std::span<const std::string_view> texts,
                                                          bool add_special_tokens) const {
  const Context doing("tokenizing");
  std::vector<LatheText> borrowed;
  borrowed.reserve(texts.size());
  for (const std::string_view text : texts) borrowed.push_back(bridge::text_of(text));
  bridge::OwnedIds out;
  LatheBytes error;
  bridge::check(lathe_tokenizer_encode(state_->tokenizer.get(), borrowed.data(), borrowed.size(),
                                       add_special_tokens, &out.ids, &error),
                error);
  std::vector<std::vector<int32_t>> encoded;
  encoded.reserve(out.ids.texts);
  for (size_t i = 0; i < out.ids.texts; ++i) encoded.emplace_back(out[i].begin(), out[i].end());
  return encoded;
}

Tokenizer::Places Tokenizer::encode_with_places(std::string_view text,
                                                bool add_special_tokens) const {
  const Context doing("tokenizing");
  bridge::OwnedIds out;
  LatheBytes error;
  bridge::check(lathe_tokenizer_encode_places(state_->tokenizer.get(), bridge::text_of(text),
                                              add_special_tokens, &out.ids, &error),
                error);
  Places encoded{{out[0].begin(), out[0].end()}, {}};
  encoded.places.reserve(encoded.ids.size());
  for (size_t i = 0; i < encoded.ids.size(); ++i) encoded.places.emplace_back(out[1][i], out[2][i]);
  return encoded;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special_tokens) const {
  std::string text = decode_raw(ids, skip_special_tokens);
  return state_->clean_up ? clean_up_spaces(std::move(text)) : text;
}

std::string Tokenizer::decode_raw(std::span<const int32_t> ids, bool skip_special_tokens) const {
  for (const int32_t id : ids) require(id >= 0, "decoding: expected ids >= 0, found {}", id);
  LatheBytes out, error;
  bridge::check(
      lathe_tokenizer_decode(state_->tokenizer.get(), reinterpret_cast<const uint32_t*>(ids.data()),
                             ids.size(), skip_special_tokens, &out, &error),
      error);
  return bridge::take(out);
}

bool Tokenizer::cleans_up_spaces() const {
  return state_->clean_up;
}

std::string Tokenizer::clean_up_spaces(std::string text) {
  // The replacements of transformers' clean_up_tokenization, in its order.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 10> replacements = {
      {{" .", "."},
       {" ?", "?"},
       {" !", "!"},
       {" ,", ","},
       {" ' ", "'"},
       {" n't", "n't"},
       {" 'm", "'m"},
       {" 's", "'s"},
       {" 've", "'ve"},
       {" 're", "'re"}}};
  for (const auto& [from, to] : replacements) {
    std::string out;
    size_t begin = 0;
    for (size_t at; (at = text.find(from, begin)) != text.npos; begin = at + from.size())
      out.append(text, begin, at - begin).append(to);
    text = out.append(text, begin);
  }
  return text;
}

int64_t Tokenizer::vocab_size() const {
  return lathe_tokenizer_ids(state_->tokenizer.get());
}

std::optional<int32_t> Tokenizer::token_id(std::string_view token) const {
  int64_t id = -1;
  LatheBytes error;
  bridge::check(lathe_tokenizer_id(state_->tokenizer.get(), bridge::text_of(token), &id, &error),
                error);
  if (id < 0) return std::nullopt;
  return static_cast<int32_t>(id);
}

std::string Tokenizer::token(int32_t id) const {
  require(id >= 0, "expected the id of a token, found {}", id);
  bool special = false;
  LatheBytes out, error;
  bridge::check(lathe_tokenizer_token(state_->tokenizer.get(), static_cast<uint32_t>(id), &out,
                                      &special, &error),
                error);
  return bridge::take(out);
}

namespace {

/// Whether an id has a token, and whether that is special.
std::pair<bool, bool> look_up(const LatheTokenizer* tokenizer, int32_t id) {
  if (id < 0) return {false, false};
  bool special = false;
  LatheBytes out, error;
  const bool known =
      lathe_tokenizer_token(tokenizer, static_cast<uint32_t>(id), &out, &special, &error) == 0;
  lathe_bytes_free(known ? out : error);
  return {known, known && special};
}

std::optional<int32_t> id_of(const Tokenizer& tokenizer, const std::optional<std::string>& token) {
  return token ? tokenizer.token_id(*token) : std::nullopt;
}

}  // namespace

bool Tokenizer::has_token(int32_t id) const {
  return look_up(state_->tokenizer.get(), id).first;
}

bool Tokenizer::is_special(int32_t id) const {
  return look_up(state_->tokenizer.get(), id).second;
}

std::optional<int32_t> Tokenizer::bos_id() const {
  return id_of(*this, state_->roles.bos);
}
std::optional<int32_t> Tokenizer::own_bos_id() const {
  const std::optional<int32_t> bos = bos_id();
  const std::vector<int32_t> of_nothing = encode("");
  return bos && !of_nothing.empty() && of_nothing.front() == *bos ? bos : std::nullopt;
}
std::optional<int32_t> Tokenizer::eos_id() const {
  return id_of(*this, state_->roles.eos);
}
std::optional<int32_t> Tokenizer::pad_id() const {
  return id_of(*this, state_->roles.pad);
}
std::optional<int32_t> Tokenizer::unk_id() const {
  return id_of(*this, state_->roles.unk);
}

const std::string& Tokenizer::fingerprint() const {
  std::call_once(state_->hashed, [&] {
    state_->fingerprint = content_hash(part(state_->tokenizer.get(), LATHE_TOKENIZER_JSON));
  });
  return state_->fingerprint;
}

TokenizerFiles Tokenizer::files() const {
  json config = state_->config;
  if (!config.contains("tokenizer_class")) config["tokenizer_class"] = "PreTrainedTokenizerFast";
  return {part(state_->tokenizer.get(), LATHE_TOKENIZER_JSON) + "\n", config.dump(2) + "\n",
          state_->chat_templates};
}

void Tokenizer::save(const fs::path& directory) const {
  const Context doing("saving the tokenizer to {}", directory.string());
  const TokenizerFiles content = files();
  file_ops().make_directories(directory);
  write_file_atomic(directory / tokenizer_file, content.tokenizer);
  write_file_atomic(directory / tokenizer_config_file, content.config);
  for (const auto& [name, source] : content.chat_templates) {
    if (name == default_template) {
      write_file_atomic(directory / chat_template_file, source);
    } else {
      file_ops().make_directories(directory / chat_template_folder);
      write_file_atomic(directory / chat_template_folder / (name + ".jinja"), source);
    }
  }
}

const std::string& Tokenizer::decoder_json() const {
  return state_->decoder;
}

}  // namespace lathe
