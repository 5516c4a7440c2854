#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <unordered_map>

#include "lathe/base/error.h"
#include "lathe/io/json.h"
#include "lathe/io/utf8.h"
#include "lathe/text/chat_template.h"
#include "lathe/text/gguf_pre_tokenizer.h"
#include "lathe/text/gguf_tokenizer.h"
#include "lathe/text/gguf_vocabulary.h"
#include "lathe/text/tokenizer_config.h"

namespace lathe {
namespace {

using nlohmann::json;

/// A tokenizer.json as GGUF sees it.
struct Vocabulary {
  std::vector<std::string> tokens;  // by id, as tokenizer.json spells them
  std::vector<GgufToken> types;
  std::vector<std::pair<std::string, std::string>> merges;
  std::unordered_map<std::string_view, int32_t> ids;
};

bool is_byte_token(const std::string& token) {
  return token.size() == 6 && token.starts_with("<0x") && token.ends_with('>');
}

void place(Vocabulary& vocabulary, const std::string& token, int64_t id, GgufToken type) {
  const auto rows = static_cast<int64_t>(vocabulary.tokens.size());
  require(id >= 0 && id < rows,
          "token {} has the id {}, but the embedding of the model has {} rows: are tokenizer and "
          "model of each other?",
          show_text(token), id, rows);
  vocabulary.tokens[static_cast<size_t>(id)] = token;
  vocabulary.types[static_cast<size_t>(id)] = type;
}

std::pair<std::string, std::string> read_merge(const json& merge) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
    return {merge[0], merge[1]};
  const std::string text = merge.is_string() ? merge.get<std::string>() : "";
  const size_t space = text.find(' ', 1);
  require(space != text.npos, "\"merges\": expected two tokens, found {}", show_json(merge));
  return {text.substr(0, space), text.substr(space + 1)};
}

Vocabulary read_vocabulary(const json& tokenizer, int64_t rows, bool byte_fallback) {
  const json& model = get_object(tokenizer, "model");
  Vocabulary vocabulary;
  vocabulary.tokens.resize(static_cast<size_t>(rows));
  vocabulary.types.assign(vocabulary.tokens.size(), GgufToken::unused);
  for (const auto& [token, id] : get_object(model, "vocab").items())
    place(vocabulary, token, id.get<int64_t>(),
          byte_fallback && is_byte_token(token) ? GgufToken::byte : GgufToken::normal);
  for (const json& token : get_array(tokenizer, "added_tokens"))
    place(vocabulary, get_string(token, "content"), get_int(token, "id"),
          get_bool_or(token, "special", false) ? GgufToken::control : GgufToken::user_defined);
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id)
    if (vocabulary.types[id] == GgufToken::unused)
      vocabulary.tokens[id] = gguf_padding_token(static_cast<int64_t>(id));
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id)
    vocabulary.ids.emplace(vocabulary.tokens[id], static_cast<int32_t>(id));
  for (const json& merge : get_array(model, "merges"))
    vocabulary.merges.push_back(read_merge(merge));
  return vocabulary;
}

/// Merges by ids, in runs of those that make the same token, each run sorted. Those that make what
/// users defined are left out: it is there before anything is merged.
std::vector<std::tuple<int32_t, int32_t, int32_t>> merge_runs(
    const Vocabulary& vocabulary, const std::vector<std::pair<int32_t, int32_t>>& merges) {
  std::vector<std::tuple<int32_t, int32_t, int32_t>> runs;
  auto run = runs.begin() - runs.begin();
  for (const auto& [left, right] : merges) {
    const auto made = vocabulary.ids.find(vocabulary.tokens[static_cast<size_t>(left)] +
                                          vocabulary.tokens[static_cast<size_t>(right)]);
    if (made == vocabulary.ids.end() ||
        vocabulary.types[static_cast<size_t>(made->second)] != GgufToken::normal)
      continue;
    if (!runs.empty() && std::get<0>(runs.back()) != made->second) {
      std::sort(runs.begin() + run, runs.end());
      run = static_cast<ptrdiff_t>(runs.size());
    }
    runs.emplace_back(made->second, left, right);
  }
  std::sort(runs.begin() + run, runs.end());
  return runs;
}

/// The scores that imply the merges: tokens that are merged first have the highest.
std::vector<float> scores_of(const Vocabulary& vocabulary) {
  constexpr float unmerged = -1000;
  std::vector<std::pair<int32_t, int32_t>> given;
  std::vector<float> scores(vocabulary.tokens.size(), unmerged);
  const auto last = -static_cast<float>(vocabulary.merges.size());
  for (size_t id = 0; id < scores.size(); ++id)
    if (vocabulary.types[id] == GgufToken::normal) scores[id] = last;
  std::vector<bool> made(scores.size(), false);
  for (const auto& [left, right] : vocabulary.merges) {
    const auto l = vocabulary.ids.find(left), r = vocabulary.ids.find(right);
    const auto whole = vocabulary.ids.find(left + right);
    if (l == vocabulary.ids.end() || r == vocabulary.ids.end() || whole == vocabulary.ids.end())
      fail("\"merges\": {} and {} do not make a token of the vocabulary", show_text(left),
           show_text(right));
    const auto id = static_cast<size_t>(whole->second);
    if (!made[id] && vocabulary.types[id] == GgufToken::normal)
      scores[id] = -static_cast<float>(given.size());
    made[id] = true;
    given.emplace_back(l->second, r->second);
  }
  const auto implied = merges_from_scores(vocabulary.tokens, vocabulary.types, scores);
  if (merge_runs(vocabulary, given) != merge_runs(vocabulary, implied))
    fail(
        "its merges are not those that a score for each token implies, which is all that a "
        "SentencePiece vocabulary in GGUF can say");
  return scores;
}

/// Whether a space is put before a text, where spaces are written as U+2581. Throws Error if the
/// tokenizer prepares text in another way than SentencePiece.
bool has_space_prefix(const json& tokenizer) {
  const json* normalizer = find_member(tokenizer, "normalizer");
  const json* split = find_member(tokenizer, "pre_tokenizer");
  json steps = json::array();
  if (normalizer != nullptr)
    steps = get_string(*normalizer, "type") == "Sequence" ? get_array(*normalizer, "normalizers")
                                                          : json::array({*normalizer});
  const json prepend = {{"type", "Prepend"}, {"prepend", space_mark}};
  const json replace = {
      {"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", space_mark}};
  const std::string kind = split == nullptr ? "" : get_string(*split, "type");
  // Where spaces have been replaced, a split at spaces does nothing.
  const bool does_nothing =
      split == nullptr || (kind == "Split" && split->at("pattern") == json{{"String", " "}});
  if (does_nothing && steps == json::array({replace})) return false;
  if (does_nothing && steps == json::array({prepend, replace})) return true;
  if (kind == "Metaspace" && steps.empty() && !get_bool_or(*split, "split", true) &&
      get_string_or(*split, "replacement", space_mark) == space_mark)
    return get_string_or(*split, "prepend_scheme", "always") != "never";
  fail(
      "GGUF cannot say how this tokenizer prepares text: normalizer {}, pre_tokenizer {}; expected "
      "spaces to become U+2581, and nothing else",
      normalizer == nullptr ? "null" : show_text(normalizer->dump(), 300),
      split == nullptr ? "null" : show_text(split->dump(), 300));
}

/// Whether bos is put before a text, and eos behind it. Throws Error for anything else.
std::pair<bool, bool> around_text(const Tokenizer& tokenizer) {
  const std::vector<int32_t> bare = tokenizer.encode("a", false), full = tokenizer.encode("a");
  const auto middle = std::search(full.begin(), full.end(), bare.begin(), bare.end());
  const auto length = middle == full.end() ? 0 : static_cast<std::ptrdiff_t>(bare.size());
  const std::vector<int32_t> before(full.begin(), middle);
  const std::vector<int32_t> behind(middle + length, full.end());
  const auto is = [](const std::vector<int32_t>& ids, std::optional<int32_t> role) {
    return ids.size() == 1 && role == ids[0];
  };
  const bool bos = is(before, tokenizer.bos_id()), eos = is(behind, tokenizer.eos_id());
  require(before.size() == size_t{bos} && behind.size() == size_t{eos},
          "GGUF cannot say what this tokenizer puts around a text: ids {} before and {} behind it; "
          "expected at most bos and eos",
          before, behind);
  return {bos, eos};
}

void put_roles(const Tokenizer& tokenizer, GgufFields& fields) {
  const auto put = [&](const char* key, std::optional<int32_t> id) {
    if (id) fields.put_uint32(key, static_cast<uint32_t>(*id));
  };
  put("tokenizer.ggml.bos_token_id", tokenizer.bos_id());
  put("tokenizer.ggml.eos_token_id", tokenizer.eos_id());
  put("tokenizer.ggml.unknown_token_id", tokenizer.unk_id());
  put("tokenizer.ggml.padding_token_id", tokenizer.pad_id());
  const auto [bos, eos] = around_text(tokenizer);
  fields.put_bool("tokenizer.ggml.add_bos_token", bos);
  fields.put_bool("tokenizer.ggml.add_eos_token", eos);
}

void put_vocabulary(Vocabulary vocabulary, GgufFields& fields) {
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (vocabulary.types[id] != GgufToken::user_defined) continue;
    // Readers look for these in the text as it is.
    vocabulary.tokens[id] = replace_all(vocabulary.tokens[id], space_mark, " ");
  }
  fields.put_strings("tokenizer.ggml.tokens", vocabulary.tokens);
  std::vector<int32_t> types;
  for (const GgufToken type : vocabulary.types) types.push_back(static_cast<int32_t>(type));
  fields.put_int32s("tokenizer.ggml.token_type", types);
}

void put_byte_level(const json& tokenizer, Vocabulary vocabulary, GgufFields& fields) {
  fields.put_string("tokenizer.ggml.model", "gpt2");
  fields.put_string("tokenizer.ggml.pre", find_gguf_pre_tokenizer(tokenizer).name);
  std::vector<std::string> merges;
  for (const auto& [left, right] : vocabulary.merges) {
    require(left.find(' ') == left.npos && right.find(' ') == right.npos,
            "\"merges\": {} and {}: a byte-level alphabet has no spaces", show_text(left),
            show_text(right));
    merges.push_back(format("{} {}", left, right));
  }
  put_vocabulary(std::move(vocabulary), fields);
  fields.put_strings("tokenizer.ggml.merges", merges);
  fields.put_bool("tokenizer.ggml.add_space_prefix", false);
}

void put_sentencepiece(const json& tokenizer, Vocabulary vocabulary, std::optional<int32_t> unknown,
                       GgufFields& fields) {
  fields.put_string("tokenizer.ggml.model", "llama");
  fields.put_string("tokenizer.ggml.pre", "default");
  const std::vector<float> scores = scores_of(vocabulary);
  if (unknown) vocabulary.types.at(static_cast<size_t>(*unknown)) = GgufToken::unknown;
  put_vocabulary(std::move(vocabulary), fields);
  fields.put_float32s("tokenizer.ggml.scores", scores);
  fields.put_bool("tokenizer.ggml.add_space_prefix", has_space_prefix(tokenizer));
}

/// Under the keys of llama.cpp's add_chat_template.
void put_chat_templates(const std::map<std::string, std::string>& templates, GgufFields& fields) {
  std::vector<std::string> others;
  for (const auto& [name, source] : templates) {
    if (name == default_template) {
      fields.put_string("tokenizer.chat_template", source);
    } else {
      others.push_back(template_name(name));
      fields.put_string(format("tokenizer.chat_template.{}", others.back()), source);
    }
  }
  if (!others.empty()) fields.put_strings("tokenizer.chat_templates", others);
}

}  // namespace

void write_gguf_tokenizer(const Tokenizer& tokenizer, int64_t rows, GgufFields& fields) {
  const Context writing("the tokenizer for a GGUF file");
  const TokenizerFiles files = tokenizer.files();
  const json content = parse_json(files.tokenizer);
  const json& model = get_object(content, "model");
  const std::string type = get_string_or(model, "type", "BPE");
  require(type == "BPE", "expected a BPE tokenizer, found {}: GGUF has no kind for it here", type);
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    require(get_string_or(model, key, "").empty(), "\"{}\": GGUF cannot say this", key);
  const bool byte_fallback = get_bool_or(model, "byte_fallback", false);
  Vocabulary vocabulary = read_vocabulary(content, rows, byte_fallback);
  if (byte_fallback) {
    put_sentencepiece(content, std::move(vocabulary), tokenizer.unk_id(), fields);
  } else {
    put_byte_level(content, std::move(vocabulary), fields);
  }
  put_roles(tokenizer, fields);
  put_chat_templates(chat_template_sources(files), fields);
}

}  // namespace lathe
