// The table of families: how a config.json is spelled, and what it means.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string_view>

#include "lathe/model/config.h"
#include "lathe/model/family/config_keys.h"

namespace lathe {

class Model;

/// Where a file may have a weight that it does not have under its own name: in another tensor, or
/// in part of one.
struct StoredPlace {
  std::string tensor;
  int64_t expert = 0, experts = 0;  ///< the tensor has one of so many entries; 0: it is not cut
  int64_t part = 0, parts = 1;      ///< of an entry, one of so many equal parts of its rows
};

/// A family of models, a row of the table.
struct Family {
  const char* model_type;    ///< as in config.json
  const char* architecture;  ///< the class of transformers: LlamaForCausalLM
  const char* models;        ///< what people call the models: "Llama 2 and 3, SmolLM2"
  /// Sets what the family has by default, then what config.json says. Token ids are read already.
  void (*read)(ConfigKeys& keys, ModelConfig& config);
  /// Adds the members of config.json that `read` reads, in the spellings of transformers 4 and 5.
  void (*write)(const ModelConfig& config, nlohmann::json& object);
  /// Fills in what follows from the family; called after `read`, and for the recipe of a new model.
  void (*complete)(ModelConfig& config);
  std::unique_ptr<Model> (*build)(const ModelConfig& config);
  /// Where else files have a weight, the likeliest place first; nullptr: nowhere.
  std::vector<StoredPlace> (*places)(const std::string& weight,
                                     const ModelConfig& config) = nullptr;
  /// Whether a tensor is one that old files carry and the model does not need; nullptr: none is.
  bool (*is_superfluous)(std::string_view tensor, const ModelConfig& config) = nullptr;
};

/// Every family, in the order of the documentation.
std::span<const Family* const> families();

/// Throws Error, with the names, if the configuration has features that a config.json of its family
/// cannot express: transformers would compute something else.
void require_spelled(const ModelConfig& config);

/// The family with that `model_type`; throws Error with those there are if there is none.
const Family& family_of(std::string_view model_type);

}  // namespace lathe
