// Models in the cache that Hugging Face's libraries keep on disk, found without a network:
//   models--ORG--NAME/refs/REVISION          the commit that a branch or tag stood at
//   models--ORG--NAME/snapshots/COMMIT/      the files of that commit
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lathe/base/file.h"

namespace lathe {

/// A model's name on the Hugging Face hub.
struct HubName {
  std::string repository;         ///< "org/name", or "name" alone for the oldest models
  std::string revision = "main";  ///< a branch, a tag or a whole commit
};

/// Reads "org/name" or "org/name@revision". Nothing if the text cannot be such a name.
std::optional<HubName> parse_hub_name(std::string_view text);

/// The repositories of models that a cache holds, sorted.
std::vector<std::string> list_hub_cache(const fs::path& cache);

/// The folder with the files of that revision. Throws Error that says what the cache holds instead.
fs::path find_in_hub_cache(const fs::path& cache, const HubName& name);

/// Where a model is that a user names: a path that exists, or else a name in the cache. A snapshot
/// that is nothing but one .gguf file is that file. Throws Error if there is no such model.
fs::path locate_model(const std::string& name, const fs::path& cache);

}  // namespace lathe
