// The directory of an adapter: PEFT's layout, or for bottlenecks that of AdapterHub's `adapters`.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "lathe/adapt/options.h"
#include "lathe/adapt/site_module.h"
#include "lathe/base/file.h"
#include "lathe/model/tensor_file.h"

namespace lathe {

/// What else the configuration says.
struct AdapterFacts {
  std::string base = {};                 ///< name of the model
  std::string model_type = {};           ///< its family
  std::string architecture = {};         ///< its class in transformers
  int64_t hidden_size = 0;               ///< of the model
  int64_t layers = 0;                    ///< of the model
  std::vector<std::string> labels = {};  ///< of a classifier; PEFT passes over them
  std::string problem_type = {};         ///< of a classifier
  /// Whether an embedding that is saved with the adapter is the output layer too
  /// (ensure_weight_tying of PEFT); nothing: it does not say.
  std::optional<bool> ensure_weight_tying = {};
};

/// Reads adapter_config.json. Throws Error for a kind of adapter that is not known, and for
/// settings that would change what it computes and are not known.
AdapterOptions read_adapter_config(const fs::path& directory);

/// The base that an adapter names, and the labels of a classifier's: those that Lathe wrote, or
/// LABEL_0 and so on, as many as PEFT's has outputs. Of no directory: nothing.
AdapterFacts read_adapter_facts(const fs::path& directory);

/// The texts in a list of a configuration. Throws Error if it is missing or holds anything else.
std::vector<std::string> get_names(const nlohmann::json& config, const char* name);

/// Throws Error for a member that is not in one of the lists, unless it says that something is not
/// used: null, false, or nothing in brackets.
void refuse_unknown(const nlohmann::json& config,
                    std::initializer_list<std::span<const std::string_view>> known);

/// What the tensors of a module at `site` are called in files, up to the end that is the module's.
std::string tensor_prefix(const AdapterOptions& options, const Site& site);

/// Whether the file of the directory has a tensor of that name.
bool has_adapter_tensor(const fs::path& directory, const std::string& name);

/// Fills tensors from the file of the directory, and those of `optional` that are there. Throws
/// Error if another is missing, one has another shape, or there are more.
void read_adapter_tensors(const fs::path& directory, const std::vector<NamedTensor>& tensors,
                          const std::vector<NamedTensor>& optional = {});

/// Writes both files. Returns what the other programs will not find in them, or nothing.
std::string write_adapter(const fs::path& directory, const AdapterOptions& options,
                          const std::vector<Site>& sites, const NamedTensors& tensors,
                          const AdapterFacts& facts);

}  // namespace lathe
