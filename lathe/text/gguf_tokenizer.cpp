#include "lathe/text/gguf_tokenizer.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "lathe/base/error.h"
#include "lathe/io/utf8.h"
#include "lathe/text/gguf_pre_tokenizer.h"
#include "lathe/text/gguf_vocabulary.h"
#include "lathe/text/tokenizer_config.h"

namespace lathe {
namespace {

using nlohmann::json;

/// The roles of tokens: the key that has the id, and that of tokenizer_config.json.
constexpr std::array<std::pair<const char*, const char*>, 5> roles = {{
    {"tokenizer.ggml.bos_token_id", "bos_token"},
    {"tokenizer.ggml.eos_token_id", "eos_token"},
    {"tokenizer.ggml.unknown_token_id", "unk_token"},
    {"tokenizer.ggml.padding_token_id", "pad_token"},
    {"tokenizer.ggml.mask_token_id", "mask_token"},
}};

/// What the two kinds of tokenizers do differently.
struct Kind {
  json normalizer, pre_tokenizer, decoder;
  json model;                        ///< but for vocabulary and merges
  std::vector<std::string> spelled;  ///< the tokens in the model's vocabulary; empty: left out
  std::vector<std::pair<std::string, std::string>> merges;
  bool add_bos;
};

json bpe_model(const char* unknown, bool byte_fallback, bool ignore_merges) {
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", unknown == nullptr ? json(nullptr) : json(unknown)},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", byte_fallback},
          {"byte_fallback", byte_fallback},
          {"ignore_merges", ignore_merges}};
}

/// Fills of ids that no token has.
bool is_padding(const GgufVocabulary& vocabulary, size_t id) {
  return vocabulary.types[id] == GgufToken::unused &&
         vocabulary.tokens[id] == gguf_padding_token(static_cast<int64_t>(id));
}

Kind byte_level_kind(const GgufMetadata& metadata, const GgufVocabulary& vocabulary) {
  const GgufPreTokenizer& pre = gguf_pre_tokenizer(metadata.get_string("tokenizer.ggml.pre"));
  Kind kind{normalizer_of(pre),
            pre_tokenizer_of(pre),
            {{"type", "ByteLevel"},
             {"add_prefix_space", true},
             {"trim_offsets", true},
             {"use_regex", true}},
            bpe_model(nullptr, false, pre.ignore_merges),
            {},
            {},
            pre.add_bos};
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id)
    kind.spelled.emplace_back(is_padding(vocabulary, id) ? "" : vocabulary.tokens[id]);
  for (const std::string_view merge : metadata.get_strings("tokenizer.ggml.merges")) {
    // No token of the byte-level alphabet has a space in it.
    const size_t space = merge.find(' ', 1);
    if (space == merge.npos || !is_valid_utf8(merge))
      fail("\"tokenizer.ggml.merges\": expected two tokens with a space between, found {}",
           show_text(merge));
    kind.merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
  }
  return kind;
}

json replace_step(std::string_view from, std::string_view to) {
  return {{"type", "Replace"}, {"pattern", {{"String", from}}}, {"content", to}};
}

Kind sentencepiece_kind(const GgufMetadata& metadata, const GgufVocabulary& vocabulary) {
  require(!vocabulary.scores.empty(), "\"tokenizer.ggml.scores\": expected, but it is missing");
  const bool prefix = metadata.get_bool_or("tokenizer.ggml.add_space_prefix", true);
  std::string unknown = "<unk>";
  if (metadata.has("tokenizer.ggml.unknown_token_id"))
    unknown = vocabulary.tokens.at(static_cast<size_t>(metadata.get_int(
        "tokenizer.ggml.unknown_token_id", 0, static_cast<int64_t>(vocabulary.tokens.size()) - 1)));
  Kind kind{replace_step(" ", space_mark),
            nullptr,
            {{"type", "Sequence"},
             {"decoders",
              {replace_step(space_mark, " "), {{"type", "ByteFallback"}}, {{"type", "Fuse"}}}}},
            bpe_model(unknown.c_str(), true, false),
            {},
            {},
            true};
  if (prefix) {
    kind.normalizer = {
        {"type", "Sequence"},
        {"normalizers", {{{"type", "Prepend"}, {"prepend", space_mark}}, kind.normalizer}}};
    kind.decoder["decoders"].push_back(
        {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id)
    kind.spelled.push_back(is_padding(vocabulary, id) ? ""
                           : vocabulary.types[id] == GgufToken::user_defined
                               ? replace_all(vocabulary.tokens[id], " ", space_mark)
                               : std::string(vocabulary.tokens[id]));
  for (const auto& [left, right] :
       merges_from_scores(kind.spelled, vocabulary.types, vocabulary.scores))
    kind.merges.emplace_back(kind.spelled[static_cast<size_t>(left)],
                             kind.spelled[static_cast<size_t>(right)]);
  return kind;
}

Kind kind_of(const GgufMetadata& metadata, const GgufVocabulary& vocabulary) {
  const std::string_view model = metadata.get_string("tokenizer.ggml.model");
  if (model == "gpt2") return byte_level_kind(metadata, vocabulary);
  if (model == "llama") return sentencepiece_kind(metadata, vocabulary);
  fail(
      "\"tokenizer.ggml.model\": expected gpt2 (byte-level BPE) or llama (SentencePiece BPE), "
      "found {}",
      show_text(model));
}

/// Tokens that are found in a text before anything else.
json added_tokens(const GgufMetadata& metadata, const GgufVocabulary& vocabulary,
                  const Kind& kind) {
  // Phi-3 swallows the white space behind its special tokens, which files do not say.
  const bool strips = metadata.get_string_or("general.architecture", "") == "phi3" &&
                      metadata.get_string("tokenizer.ggml.model") == "llama";
  json added = json::array();
  for (size_t id = 0; id < kind.spelled.size(); ++id) {
    const GgufToken type = vocabulary.types[id];
    const bool special = type == GgufToken::control || type == GgufToken::unknown;
    if ((!special && type != GgufToken::user_defined) || kind.spelled[id].empty()) continue;
    const std::string& content = kind.spelled[id];
    const bool rstrip =
        strips && content != "<unk>" && content != "<s>" && content != "<|endoftext|>";
    added.push_back({{"id", id},
                     {"content", content},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", rstrip},
                     {"normalized", false},
                     {"special", special}});
  }
  return added;
}

json sequence_piece(const char* id, int type) {
  return {{"Sequence", {{"id", id}, {"type_id", type}}}};
}

/// What is put around one text and around two: bos before each, eos behind.
json post_processor(const json& config, const std::vector<std::string>& spelled) {
  json special = json::object();
  const auto text = [&](const char* id, int type) {
    json pieces = json::array();
    const auto add = [&](const char* flag, const char* role) {
      if (!config.at(flag).get<bool>()) return;
      const std::string token = config.at(role);
      const auto index = std::find(spelled.begin(), spelled.end(), token) - spelled.begin();
      special[token] = {{"id", token}, {"ids", {index}}, {"tokens", {token}}};
      pieces.push_back({{"SpecialToken", {{"id", token}, {"type_id", type}}}});
    };
    add("add_bos_token", "bos_token");
    pieces.push_back(sequence_piece(id, type));
    add("add_eos_token", "eos_token");
    return pieces;
  };
  const json single = text("A", 0);
  json pair = single;
  for (const json& piece : text("B", 1)) pair.push_back(piece);
  return {{"type", "TemplateProcessing"},
          {"single", single},
          {"pair", pair},
          {"special_tokens", special}};
}

/// tokenizer_config.json.
json config_of(const GgufMetadata& metadata, const Kind& kind) {
  json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                 {"clean_up_tokenization_spaces", false}};
  const auto last = static_cast<int64_t>(kind.spelled.size()) - 1;
  for (const auto& [key, role] : roles) {
    if (!metadata.has(key)) continue;
    const std::string& token = kind.spelled[static_cast<size_t>(metadata.get_int(key, 0, last))];
    if (!token.empty()) config[role] = token;
  }
  const auto flag = [&](const char* name, const char* role, bool fallback) {
    const bool value = metadata.get_bool_or(format("tokenizer.ggml.{}", name), fallback);
    require(!value || config.contains(role), "\"tokenizer.ggml.{}\": true, but there is no {}",
            name, role);
    config[name] = value;
  };
  flag("add_bos_token", "bos_token", kind.add_bos && config.contains("bos_token"));
  flag("add_eos_token", "eos_token", false);
  const std::string length =
      format("{}.context_length", metadata.get_string_or("general.architecture", ""));
  if (metadata.has(length)) config["model_max_length"] = metadata.get_int(length, 1);
  if (metadata.has("tokenizer.chat_template"))
    config["chat_template"] = metadata.get_string("tokenizer.chat_template");
  return config;
}

/// As llama.cpp's add_chat_template writes them.
std::map<std::string, std::string> chat_templates_of(const GgufMetadata& metadata) {
  std::map<std::string, std::string> templates;
  if (metadata.has("tokenizer.chat_template"))
    templates[default_template] = metadata.get_string("tokenizer.chat_template");
  if (!metadata.has("tokenizer.chat_templates")) return templates;
  for (const std::string_view name : metadata.get_strings("tokenizer.chat_templates"))
    templates[template_name(name)] =
        metadata.get_string(format("tokenizer.chat_template.{}", name));
  return templates;
}

void append_quoted(std::string& out, std::string_view text) {
  const bool plain = std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; });
  if (plain) {
    out.append(1, '"').append(text).append(1, '"');
  } else {
    out += json(text).dump();
  }
}

/// tokenizer.json as text: the vocabulary of a large model is too much for a tree of values.
std::string format_tokenizer(const json& head, const Kind& kind) {
  std::string text = head.dump();
  text.back() = ',';
  text += "\"model\":" + kind.model.dump();
  text.back() = ',';
  text += "\"vocab\":{";
  for (size_t id = 0; id < kind.spelled.size(); ++id) {
    if (kind.spelled[id].empty()) continue;
    append_quoted(text, kind.spelled[id]);
    text += format(":{},", id);
  }
  if (text.back() == ',') text.pop_back();
  text += "},\"merges\":[";
  for (const auto& [left, right] : kind.merges) {
    text += '[';
    append_quoted(text, left);
    text += ',';
    append_quoted(text, right);
    text += "],";
  }
  if (text.back() == ',') text.pop_back();
  return text + "]}}";
}

}  // namespace

bool has_gguf_tokenizer(const GgufMetadata& metadata) {
  return metadata.has("tokenizer.ggml.tokens");
}

TokenizerFiles read_gguf_tokenizer(const GgufMetadata& metadata) {
  const Context reading("the tokenizer of a GGUF file");
  const GgufVocabulary vocabulary = read_gguf_vocabulary(metadata);
  const Kind kind = kind_of(metadata, vocabulary);
  const json config = config_of(metadata, kind);
  const json head = {{"version", "1.0"},
                     {"truncation", nullptr},
                     {"padding", nullptr},
                     {"added_tokens", added_tokens(metadata, vocabulary, kind)},
                     {"normalizer", kind.normalizer},
                     {"pre_tokenizer", kind.pre_tokenizer},
                     {"post_processor", post_processor(config, kind.spelled)},
                     {"decoder", kind.decoder}};
  return {format_tokenizer(head, kind), config.dump(2) + "\n", chat_templates_of(metadata)};
}

}  // namespace lathe
