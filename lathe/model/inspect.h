// What a model is and whether its files are sound, without computing with it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lathe/base/file.h"
#include "lathe/model/config.h"
#include "lathe/model/generation_config.h"

namespace lathe {

/// What is known of a model's files. A part that cannot be read is missing here, and among the
/// problems.
struct ModelReport {
  /// Weights of one kind, such as "attention".
  struct Part {
    std::string name;
    int64_t parameters;
  };

  std::optional<ModelConfig> config;
  GenerationConfig generation;
  std::vector<Part> parts;                 ///< in the order of a forward pass
  std::map<std::string, uint64_t> stored;  ///< bytes of each type of weight in the files
  size_t tensors = 0;
  std::vector<std::string> problems;  ///< each a sentence that says what to do where we know

  int64_t parameters() const;
  uint64_t stored_bytes() const;
};

/// Looks at the model at `path`, a directory or a GGUF file. Throws Error only if there is nothing
/// to look at.
ModelReport inspect_model(const fs::path& path);

}  // namespace lathe
