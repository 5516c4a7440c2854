// generation_config.json: how the makers of a model let it write.
#pragma once

#include <string>
#include <vector>

#include "lathe/base/file.h"
#include "lathe/options/fields.h"

namespace lathe {

/// How the next token of a text is drawn, under the names of transformers' GenerationConfig.
struct Sampling {
  std::optional<double> temperature{};         ///< unset: 1
  std::optional<int64_t> top_k{};              ///< unset: 0, all tokens
  std::optional<double> top_p{};               ///< unset: 1, all tokens
  std::optional<double> min_p{};               ///< unset: 0, all tokens
  std::optional<double> repetition_penalty{};  ///< unset: 1, none

  void fields(Fields& f);
  /// What is set here, and of the rest what is set in `other`.
  Sampling or_else(const Sampling& other) const;
  bool operator==(const Sampling&) const = default;
};

/// What the file of a model says.
struct GenerationConfig {
  Sampling sampling{};                  ///< nothing is set unless the file says do_sample
  std::vector<int64_t> eos_token_id{};  ///< tokens that end a text, besides those of config.json
  std::string file{};                   ///< the file as it is; empty: there is none
};

/// Reads the content of a generation_config.json. Keys that Lathe does not follow are left alone.
/// Throws Error for a value that no text can be drawn with.
GenerationConfig read_generation_config(std::string file);

/// The generation_config.json of a model directory; says nothing where there is none. Errors begin
/// with the path.
GenerationConfig load_generation_config(const fs::path& directory);

}  // namespace lathe
