#pragma once

#include <map>
#include <string>
#include <vector>

#include "lathe/options/fields.h"

namespace lathe {

/// What is put beside the layers of a frozen model: a kind, and its settings under the names of
/// PEFT's configurations; those of bottlenecks under the names of AdapterHub's.
struct AdapterOptions {
  std::string peft_type;  ///< "LORA", "IA3", "VERA", "BITFIT", "BOTTLENECK"; empty: no adapter
  // Where.
  std::vector<std::string> target_modules;  ///< empty: those usual for the kind
  std::vector<std::string> exclude_modules;
  std::vector<int64_t> layers_to_transform, leave_out;
  std::vector<std::string> modules_to_save;
  // LoRA and what begins like it.
  std::optional<int64_t> r;
  double lora_alpha = 8;
  bool use_rslora = false, use_dora = false, lora_bias = false;
  std::string init_lora_weights = "true";
  std::string bias = "none";
  double lora_dropout = 0, vera_dropout = 0, dropout = 0;  ///< the last that of bottlenecks
  std::optional<double> loraplus_lr_ratio;
  double loraplus_lr_embedding = 1e-6;
  // VeRA.
  int64_t projection_prng_key = 0;
  double d_initial = 0.1;
  // IA3.
  std::vector<std::string> feedforward_modules;
  // Bottlenecks.
  std::string preset;
  std::optional<double> reduction_factor;
  std::optional<std::string> non_linearity, scaling, init_weights;
  std::optional<bool> is_parallel, original_ln_before;

  // What files alone have: modules that differ, by patterns of their names or numbers of their
  // layers, and what AdapterHub calls the adapter.
  std::map<std::string, int64_t> rank_pattern = {};
  std::map<std::string, double> alpha_pattern = {};
  std::map<int64_t, double> reduction_factors = {};
  std::string name = "default";

  void fields(Fields& f);
  /// Sets what the preset stands for where nothing else is said. Throws Error for settings that no
  /// adapter can have, or none of this kind.
  void check();

  /// Whether something is dropped at random.
  bool drops() const { return lora_dropout > 0 || vera_dropout > 0 || dropout > 0; }
  /// Of the site of that name.
  int64_t rank_of(const std::string& site) const;
  double alpha_of(const std::string& site) const;
  /// Those of the files that it is kept in: PiSSA's as plain LoRA of twice the rank.
  AdapterOptions as_saved() const;
  /// The units of a bottleneck that reads so many numbers.
  int64_t width_at(const std::string& site, int64_t reads) const;
};

}  // namespace lathe
