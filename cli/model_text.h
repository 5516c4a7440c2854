// How `lathe info` shows a model.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "lathe/model/inspect.h"
#include "lathe/model/memory.h"

namespace lathe {

struct ModelFacts {
  /// What a kind of training takes.
  struct Memory {
    std::string method;
    TrainingMemory bytes;
  };

  std::string path;
  ModelReport report;
  std::optional<int64_t> tokenizer_tokens;
  std::string end_of_text;
  bool has_chat_template = false;
  std::vector<Memory> memory;
  std::string adapter_drawing;  ///< empty: no adapter
  int64_t adapter_parameters = 0;
  int64_t rows = 0, max_length = 0;  ///< of the batch that `memory` is for
};

nlohmann::json to_json(const ModelFacts& facts);
std::string to_text(const ModelFacts& facts);

}  // namespace lathe
