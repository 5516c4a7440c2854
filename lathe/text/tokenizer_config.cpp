#include "lathe/text/tokenizer_config.h"

#include <array>
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>

#include "lathe/base/error.h"
#include "lathe/base/file.h"
#include "lathe/io/json.h"

namespace lathe {
namespace {

using nlohmann::json;

constexpr std::array role_keys = {"bos_token", "eos_token", "unk_token", "sep_token",
                                  "pad_token", "cls_token", "mask_token"};

std::optional<std::string> token_text(const json& config, const char* key) {
  const json* value = find_member(config, key);
  if (value == nullptr) return std::nullopt;
  if (value->is_object()) return get_string(*value, "content");
  require(value->is_string(), "\"{}\": expected text or an object with \"content\", found {}", key,
          show_json(*value));
  return value->get<std::string>();
}

/// `token` is text or an AddedToken.
json change(const json& token, bool special, bool if_missing) {
  const bool object = token.is_object();
  const json options = object ? token : json::object();
  if (object) special = special || get_bool_or(options, "special", false);
  return {{"content", object ? get_string(token, "content") : token.get<std::string>()},
          {"id", nullptr},
          {"if_missing", if_missing},
          {"special", special},
          {"single_word", get_bool_or(options, "single_word", false)},
          {"lstrip", get_bool_or(options, "lstrip", false)},
          {"rstrip", get_bool_or(options, "rstrip", false)},
          {"normalized", get_bool_or(options, "normalized", !special)}};
}

/// The entries of "added_tokens_decoder" in the order of their ids.
json decoder_changes(const json& decoder) {
  std::map<int64_t, json> by_id;
  for (const auto& [key, token] : decoder.items()) {
    int64_t id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    require(error == std::errc() && end == key.data() + key.size() && id >= 0 && id <= INT32_MAX,
            "\"added_tokens_decoder\": expected ids as keys, found \"{}\"", key);
    const Context doing("\"added_tokens_decoder\": \"{}\"", key);
    by_id[id] = change(token, false, false);
    by_id[id]["id"] = id;
  }
  json changes = json::array();
  for (auto& [id, token] : by_id) changes.push_back(std::move(token));
  return changes;
}

void add_names(json& changes, const json& config, const char* key) {
  const json* tokens = find_member(config, key);
  if (tokens == nullptr || (!tokens->is_array() && !tokens->is_object())) return;
  for (const json& token : *tokens)
    if (token.is_string() || token.is_object()) changes.push_back(change(token, true, true));
}

bool flag(const json& config, const char* key) {
  return get_bool_or(config, key, false);
}

}  // namespace

TokenizerRoles read_roles(const json& config) {
  return {.bos = token_text(config, "bos_token"),
          .eos = token_text(config, "eos_token"),
          .pad = token_text(config, "pad_token"),
          .unk = token_text(config, "unk_token"),
          .clean_up_spaces = flag(config, "clean_up_tokenization_spaces"),
          .clean_up_spaces_for_bpe = flag(
              config, "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output")};
}

std::map<std::string, std::string> special_tokens(const json& config) {
  std::map<std::string, std::string> tokens;
  for (const char* key : role_keys)
    if (std::optional<std::string> token = token_text(config, key)) tokens[key] = *token;
  return tokens;
}

json tokenizer_changes(const json& config) {
  json tokens = json::array();
  if (const json* decoder = find_member(config, "added_tokens_decoder")) {
    require(decoder->is_object(), "\"added_tokens_decoder\": expected an object, found {}",
            show_json(*decoder));
    tokens = decoder_changes(*decoder);
  }
  for (const char* key : role_keys)
    if (token_text(config, key)) tokens.push_back(change(config[key], true, true));
  add_names(tokens, config, "additional_special_tokens");
  add_names(tokens, config, "extra_special_tokens");

  json single = nullptr;
  if (config.contains("add_bos_token") || config.contains("add_eos_token")) {
    const TokenizerRoles roles = read_roles(config);
    single = json::array();
    if (flag(config, "add_bos_token") && roles.bos) single.push_back(*roles.bos);
    single.push_back(nullptr);
    if (flag(config, "add_eos_token") && roles.eos) single.push_back(*roles.eos);
  }
  return {{"tokens", tokens}, {"single", single}};
}

void add_special_tokens(json& config, const std::vector<std::string>& tokens) {
  // transformers 5 writes the one as a list, which transformers 4 refuses; both read the other.
  const json* extra = find_member(config, "extra_special_tokens");
  const bool newer = extra != nullptr && extra->is_array();
  json& list = config[newer ? "extra_special_tokens" : "additional_special_tokens"];
  if (!list.is_array()) list = json::array();
  for (const std::string& token : tokens)
    if (std::find(list.begin(), list.end(), json(token)) == list.end()) list.push_back(token);
}

std::string template_name(std::string_view name) {
  std::string plain(name.substr(0, 64));
  for (char& c : plain)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-') c = '_';
  return plain;
}

std::map<std::string, std::string> load_chat_templates(const std::filesystem::path& directory) {
  std::map<std::string, std::string> templates;
  if (const auto file = directory / chat_template_file; std::filesystem::exists(file))
    templates[default_template] = read_file(file, largest_chat_template);
  if (const auto folder = directory / chat_template_folder; std::filesystem::is_directory(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      if (entry.path().extension() == ".jinja")
        templates[entry.path().stem().string()] = read_file(entry.path(), largest_chat_template);
  }
  return templates;
}

json load_tokenizer_config(const std::filesystem::path& directory) {
  json config = json::object();
  if (const auto path = directory / tokenizer_config_file; std::filesystem::exists(path)) {
    config = load_json(path);
    require(config.is_object(), "reading {}: expected a JSON object, found {}", path.string(),
            show_json(config));
  }
  if (const auto path = directory / "special_tokens_map.json"; std::filesystem::exists(path)) {
    const json map = load_json(path);
    require(map.is_object(), "reading {}: expected a JSON object, found {}", path.string(),
            show_json(map));
    for (const char* key : role_keys)
      if (!config.contains(key) && map.contains(key)) config[key] = map[key];
  }
  return config;
}

}  // namespace lathe
