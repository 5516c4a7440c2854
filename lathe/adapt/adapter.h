// Small layers beside those of a frozen model.
#pragma once

#include "lathe/adapt/options.h"
#include "lathe/adapt/site_module.h"
#include "lathe/base/file.h"
#include "lathe/model/model.h"

namespace lathe {

struct VeraProjections;

/// One adapter in a model, for as long as it lives. A model may have several: what one made earlier
/// gives, those made later read.
class Adapter {
 public:
  /// A new one, with which the model is what it was. Throws Error if the options name no place, or
  /// do not fit the model.
  static std::unique_ptr<Adapter> make(Model& model, const AdapterOptions& options, uint64_t seed);
  /// One in a directory as PEFT or AdapterHub's `adapters` writes it. Throws Error if its tensors
  /// do not fit the model and its configuration; whether the model is the one it was trained on,
  /// nobody can tell.
  static std::unique_ptr<Adapter> load(Model& model, const fs::path& directory);
  /// One that `options` describe, or the directory does, without values: what it consists of, at a
  /// model that may have none itself.
  static std::unique_ptr<Adapter> outline(Model& model, const AdapterOptions& options);
  static std::unique_ptr<Adapter> outline(Model& model, const fs::path& directory);
  ~Adapter();
  Adapter(const Adapter&) = delete;
  Adapter& operator=(const Adapter&) = delete;

  /// What is trained, the modules of the model that are saved with it included, under the names
  /// that files have.
  std::vector<NamedTensor> named_tensors();
  /// How many times `learning_rate` is the rate of each of those: LoRA+ (Hayou et al. 2024,
  /// arXiv:2402.12354) in the groups of PEFT's create_loraplus_optimizer, or 1.
  std::vector<double> learning_rate_factors(double learning_rate);
  /// Writes configuration and tensors, which PEFT loads, or `adapters` if they are bottlenecks.
  /// `base` is the name of the model. The directory must exist. Returns what those programs will
  /// not find in it, or nothing.
  std::string save(const fs::path& directory, const std::string& base);
  /// Makes what it does part of the weights of the model, which are added to in float32, and takes
  /// it off. Throws Error, and leaves the model as it was, where that cannot be.
  void merge();
  /// How much of what it does is done: 1 as it was trained; 0: nothing but its modules_to_save.
  void set_strength(double strength);
  const AdapterOptions& options() const { return options_; }
  AdapterOptions& mutable_options() { return options_; }
  const std::vector<std::shared_ptr<SiteModule>>& modules() const { return modules_; }
  std::vector<Site> sites() const;
  /// Whether weights of the model are saved with it, because of modules_to_save or bias.
  bool has_weights_of_model() const { return !saved_modules_.empty(); }

 private:
  Adapter(Model& model, AdapterOptions options);
  /// Makes modules, and puts them into their slots; what it throws leaves the model as it was.
  void attach();
  std::shared_ptr<SiteModule> module_at(const Site& site) const;
  /// Takes it off; modules that are saved with it become what they were.
  void remove();
  /// Whether a module that is saved with it is both embedding and output layer.
  bool saves_tied_embedding() const;
  /// The name of one of the saved modules in files.
  std::string saved_name(const NamedTensor& weight) const;
  /// What the modules share and nobody trains, drawn; and under the names of files.
  void draw_shared();
  std::vector<NamedTensor> shared_tensors();

  Model& model_;
  AdapterOptions options_;
  std::vector<std::shared_ptr<SiteModule>> modules_;
  std::shared_ptr<VeraProjections> projections_;  // of VeRA
  std::vector<NamedTensor> saved_modules_;
  std::vector<Tensor> base_modules_;  // what those were before
};

}  // namespace lathe
