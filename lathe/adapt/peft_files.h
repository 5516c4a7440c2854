// Adapters in the files of PEFT: adapter_config.json and adapter_model.safetensors.
#pragma once

#include "lathe/adapt/options.h"
#include "lathe/base/file.h"
#include "lathe/model/walk.h"

namespace lathe {

/// What else the configuration says.
struct AdapterFacts {
  std::string base;                      ///< name of the model
  bool fan_in_fan_out = false;           ///< layers keep their weights as (in, out)
  std::vector<std::string> labels = {};  ///< of a classifier; PEFT passes over them
  std::string problem_type = {};         ///< of a classifier
};

/// Reads adapter_config.json. Throws Error for a kind of adapter that is not known, and for
/// settings that would change what it computes and are not known.
AdapterOptions read_adapter_config(const fs::path& directory);

/// The base that an adapter names, and the labels of a classifier's if Lathe wrote it.
AdapterFacts read_adapter_facts(const fs::path& directory);

/// Fills tensors from adapter_model.safetensors. Throws Error if one is missing, has another shape,
/// or there are others.
void read_adapter_tensors(const fs::path& directory, const std::vector<NamedTensor>& tensors);

/// Writes both files.
void write_adapter(const fs::path& directory, const AdapterOptions& options,
                   const std::vector<NamedTensor>& tensors, const AdapterFacts& facts);

}  // namespace lathe
