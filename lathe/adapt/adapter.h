// Small layers beside those of a frozen model.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "lathe/adapt/lora.h"
#include "lathe/adapt/options.h"
#include "lathe/base/file.h"
#include "lathe/model/model.h"

namespace lathe {

/// One adapter at the layers of a model, for as long as it lives.
class Adapter {
 public:
  /// A new one: A is drawn from the stream (seed, name of the layer), B is zeros, so that the
  /// model is what it was. Throws Error if the options name no layer, or a rank is larger than a
  /// layer.
  static std::unique_ptr<Adapter> make(Model& model, const AdapterOptions& options, uint64_t seed);
  /// One in a directory as PEFT writes it. Throws Error if its tensors do not fit the model and its
  /// configuration; whether the model is the one it was trained on, nobody can tell.
  static std::unique_ptr<Adapter> load(Model& model, const fs::path& directory);
  ~Adapter();
  Adapter(const Adapter&) = delete;
  Adapter& operator=(const Adapter&) = delete;

  /// What is trained, the modules of the model that are saved with it included, under the names
  /// that PEFT's files have.
  std::vector<NamedTensor> named_tensors();
  /// Writes adapter_config.json and adapter_model.safetensors, which PEFT loads. `base` is the
  /// name of the model. The directory must exist.
  void save(const fs::path& directory, const std::string& base);
  /// Adds what it does to the weights of the model, in float32, and takes it off.
  void merge();
  const AdapterOptions& options() const { return options_; }

 private:
  Adapter(Model& model, AdapterOptions options);
  /// Fills the slots; what it throws leaves the model as it was.
  void attach();
  void place(const Site& site);
  /// Takes it off; modules that are saved with it become what they were.
  void remove();

  Model& model_;
  AdapterOptions options_;
  std::vector<Site> sites_;                   // those with an adapter
  std::vector<std::shared_ptr<Lora>> loras_;  // at each of them
  std::vector<NamedTensor> saved_modules_;
  std::vector<Tensor> base_modules_;  // what those were before
};

}  // namespace lathe
