// tokenizer_config.json: which tokens have a role, and what changes against tokenizer.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lathe {

// The files of a tokenizer in a model's directory.
inline constexpr const char* tokenizer_file = "tokenizer.json";
inline constexpr const char* tokenizer_config_file = "tokenizer_config.json";
inline constexpr const char* chat_template_file = "chat_template.jinja";
inline constexpr uint64_t largest_chat_template = 1 << 20;  // bytes
inline constexpr const char* chat_template_folder = "additional_chat_templates";

/// Of chat templates: the name of the one in chat_template_file, and of the one for conversations
/// with tools. Others are kept, but not used.
inline constexpr const char* default_template = "default";
inline constexpr const char* tools_template = "tool_use";

/// The settings of a tokenizer_config.json that Lathe follows.
struct TokenizerRoles {
  std::optional<std::string> bos, eos, pad, unk;
  bool clean_up_spaces = false;  ///< for models other than BPE
  bool clean_up_spaces_for_bpe = false;
};

/// The roles in a tokenizer_config.json. Tokens are strings or AddedToken objects.
TokenizerRoles read_roles(const nlohmann::json& config);

/// The text of each special token that a tokenizer_config.json names, by key ("bos_token", ...):
/// the variables that chat templates find them under.
std::map<std::string, std::string> special_tokens(const nlohmann::json& config);

/// What the config changes in a tokenizer, as transformers 5 does: tokens it names that are no
/// added tokens yet, and if it has add_bos_token or add_eos_token, what is put around a text. The
/// format is that of lathe_tokenizer_adjust.
nlohmann::json tokenizer_changes(const nlohmann::json& config);

/// Adds to the list of special tokens that a config names.
void add_special_tokens(nlohmann::json& config, const std::vector<std::string>& tokens);

/// A name for a chat template that files and keys of GGUF can have: at most 64 letters, digits and
/// signs "-" and "_", the last in the place of any other character.
std::string template_name(std::string_view name);

/// The chat templates in the files of a directory, by name. Throws Error if one cannot be read.
std::map<std::string, std::string> load_chat_templates(const std::filesystem::path& directory);

/// tokenizer_config.json of a directory, with roles it lacks from special_tokens_map.json. An empty
/// object if there is neither.
nlohmann::json load_tokenizer_config(const std::filesystem::path& directory);

}  // namespace lathe
