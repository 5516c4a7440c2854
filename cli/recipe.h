// A recipe is one value on each axis: data, objective, what is trained, how. This is the struct
// behind `lathe train RECIPE.yaml`.
#pragma once

#include "cli/adapter_spec.h"
#include "cli/quantization.h"
#include "cli/runtime.h"
#include "lathe/data/options.h"
#include "lathe/model/config.h"
#include "lathe/train/options.h"

namespace lathe {

/// `model: DIR` to continue from a model, or `model: {hidden_size: 256, ...}` to start anew.
struct ModelSpec {
  std::string path;
  ModelConfig config;

  static constexpr const char* scalar_field = "path";
  void fields(Fields& f);
};

struct Recipe {
  ModelSpec model;
  std::vector<AdapterSpec> adapter;
  QuantizationOptions quantization;
  std::string tokenizer;
  std::string chat_template_path;
  std::vector<std::string> additional_special_tokens;
  std::string objective = "next_token";
  std::string problem_type = "auto";
  std::string class_weight = "none";
  DataOptions data;
  TrainOptions train;
  RuntimeOptions runtime;
  std::vector<std::string> cloze_data;
  std::string sample_prompt;
  int64_t sample_tokens = 64;
  bool overwrite = false;
  std::string recipe;  ///< the file all this came from

  bool classifies() const { return objective == "classify"; }
  /// The names of the adapters that rows choose between; empty if all rows use all adapters.
  std::vector<std::string> adapter_names() const;
  void fields(Fields& f);
  void check() const;
};

}  // namespace lathe
