#pragma once

#include <map>
#include <string>
#include <vector>

#include "lathe/options/fields.h"

namespace lathe {

/// What is put beside the layers of a frozen model, under the names of PEFT's LoraConfig.
struct AdapterOptions {
  std::string peft_type;  ///< "LORA"; empty: no adapter
  int64_t r = 8;
  double lora_alpha = 8;
  std::vector<std::string> target_modules = {"all-linear"};
  std::vector<std::string> exclude_modules;
  std::vector<int64_t> layers_to_transform;
  std::vector<std::string> modules_to_save;
  bool use_rslora = false, use_dora = false;
  /// Of modules that differ in rank or alpha, by the ends of their names. Files have them.
  std::map<std::string, int64_t> rank_pattern = {};
  std::map<std::string, double> alpha_pattern = {};

  void fields(Fields& f);
  /// Throws Error for settings that no adapter can have.
  void check() const;
};

}  // namespace lathe
