// Options with every kind of member, as the tests of this folder read them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lathe/options/fields.h"

namespace lathe::example {

struct Source {
  std::string path;
  double weight = 1;
  static constexpr const char* scalar_field = "path";

  void fields(Fields& f) {
    f("path", path, "File or glob.", {.placeholder = "FILE", .required = true});
    f("weight", weight, "Share of the mixture.", {.minimum = 0});
  }
};

struct Model {
  std::optional<std::string> path;
  std::optional<std::string> model_type;
  std::optional<int64_t> hidden_size;
  static constexpr const char* scalar_field = "path";

  void fields(Fields& f) {
    f("path", path, "Directory of a model.", {.placeholder = "DIR"});
    f("model_type", model_type, "Kind of model to make.", {.choices = {"llama", "gpt2"}});
    f("hidden_size", hidden_size, "Width of a model to make.", {.minimum = 1});
  }
  void check() const {
    if (path && model_type) fail("give path or model_type, not both");
  }
};

struct Adapter {
  std::string name = "default";
  std::vector<std::string> at = {"*.q_proj"};
  int r = 8;

  void fields(Fields& f) {
    f("name", name, "Name of the adapter.");
    f("at", at, "Where it sits.", {.aliases = {"target_modules"}});
    f("r", r, "Rank.", {.minimum = 1, .maximum = 4096, .aliases = {"lora_r"}});
  }
};

struct Optimizer {
  double learning_rate = 5e-5;
  float beta = 0.9F;
  std::optional<double> max_grad_norm;
  std::string schedule = "linear";

  void fields(Fields& f) {
    f.group("Optimizer");
    f("learning_rate", learning_rate, "Peak learning rate.", {.above = 0, .aliases = {"lr"}});
    f("beta", beta, "Decay of the first moment.", {.minimum = 0, .below = 1, .advanced = true});
    f("max_grad_norm", max_grad_norm, "Clip gradients to this norm.",
      {.above = 0, .allow_not_finite = true});
    f("lr_scheduler_type", schedule, "Shape of the schedule.",
      {.choices = {"linear", "cosine", "constant"}, .aliases = {"lr_scheduler"}});
  }
};

struct Recipe {
  Model model;
  std::vector<Source> train_data;
  std::vector<Adapter> adapters;
  std::vector<std::string> trainable = {"all"};
  Optimizer optimizer;
  int64_t max_steps = 1000;
  bool packing = true;
  std::optional<int64_t> seed = 1;
  std::string output_dir = "runs/out";
  Value extra;
  bool overwrite = false;

  void fields(Fields& f) {
    f("model", model, "The model.",
      {.aliases = {"model_name_or_path", "base_model"}, .required = true});
    f("train_data", train_data, "What to learn from.", {.aliases = {"datasets"}});
    f("adapters", adapters, "Adapters to attach.");
    f("trainable", trainable, "What learns.", {.separator = ','});
    optimizer.fields(f);
    f.group("Run");
    f("max_steps", max_steps, "Optimizer steps.", {.minimum = 1, .unit = "steps"});
    f("packing", packing, "Pack examples.", {.aliases = {"sample_packing"}});
    f("seed", seed, "Seed of all random streams; unset draws one.");
    f("output_dir", output_dir, "Where results go.", {.placeholder = "DIR"});
    f("extra", extra, "Anything.", {.advanced = true});
    f("overwrite", overwrite, "Replace what is there.", {.command_line = true});
    f.unsupported("fp16", "use bf16: true");
  }
};

/// A recipe with the text of `yaml`, as if it stood in recipe.yaml.
inline Recipe read(const std::string& yaml) {
  Recipe recipe;
  read_options(recipe, parse_yaml(yaml, "recipe.yaml"));
  return recipe;
}

}  // namespace lathe::example
