#include "lathe/adapt/options.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "lathe/adapt/targets.h"
#include "lathe/base/error.h"
#include "lathe/model/walk.h"
#include "lathe/ops/activation.h"

namespace lathe {
namespace {

void lora_fields(AdapterOptions& o, Fields& f) {
  f("r", o.r, "Rank of the matrices; by default 8, of VERA 256.",
    {.minimum = 1, .maximum = 1 << 16});
  f("lora_alpha", o.lora_alpha, "They are scaled by lora_alpha / r.", {.above = 0});
  f("use_rslora", o.use_rslora, "Scale by lora_alpha / sqrt(r) (Kalajdzievski 2023).");
  f("use_dora", o.use_dora, "Train the size of each weight's rows beside (Liu et al. 2024).");
  f("init_lora_weights", o.init_lora_weights,
    "true: begin at nothing; pissa: at the largest singular directions of each weight (Meng et al. "
    "2024).",
    {.choices = {"true", "pissa"}});
  f("lora_dropout", o.lora_dropout, "Part of what A reads that is dropped at random in training.",
    {.minimum = 0, .below = 1});
  f("loraplus_lr_ratio", o.loraplus_lr_ratio,
    "LoRA+: the learning rate of the B matrices is so many times that of the A matrices (Hayou et "
    "al. 2024).",
    {.above = 0});
  f("loraplus_lr_embedding", o.loraplus_lr_embedding,
    "LoRA+: the learning rate of matrices beside an embedding.", {.above = 0});
  f("lora_bias", o.lora_bias, "Each adapted layer gets a bias that is trained, too.");
  f("bias", o.bias,
    "Biases of the model that are trained and saved beside: all, or those of adapted layers.",
    {.choices = {"none", "all", "lora_only"}});
  f("projection_prng_key", o.projection_prng_key,
    "VERA: the seed of the matrices that all layers share.", {.minimum = 0});
  f("d_initial", o.d_initial, "VERA: what the vector d begins with.");
  f("vera_dropout", o.vera_dropout, "VERA: part of what A reads that is dropped in training.",
    {.minimum = 0, .below = 1});
  f("feedforward_modules", o.feedforward_modules,
    "IA3: the layers of target_modules whose input is scaled, not their output.",
    {.placeholder = "NAMES"});
}

void bottleneck_fields(AdapterOptions& o, Fields& f) {
  f("preset", o.preset,
    "BOTTLENECK: the settings of a paper: houlsby, behind attention and MLP; pfeiffer, behind the "
    "MLP; parallel, beside the MLP.",
    {.choices = {"", "houlsby", "pfeiffer", "parallel"}});
  f("reduction_factor", o.reduction_factor,
    "BOTTLENECK: the hidden size is so many times that of the bottleneck; by default 16.",
    {.above = 0});
  f("non_linearity", o.non_linearity, "BOTTLENECK: its activation; by default relu.");
  f("is_parallel", o.is_parallel,
    "BOTTLENECK: it reads what its place reads, not what that gives.");
  f("original_ln_before", o.original_ln_before,
    "BOTTLENECK: behind attention or MLP it reads the sum of both, not the result alone; by "
    "default "
    "true.");
  f("scaling", o.scaling,
    "BOTTLENECK: what it gives is multiplied by this; learned: by a number that is trained.");
  f("dropout", o.dropout, "BOTTLENECK: part of what it gives that is dropped in training.",
    {.minimum = 0, .below = 1});
  f("init_weights", o.init_weights,
    "BOTTLENECK: bert: normal with a deviation of 0.02; mam_adapter: as linear layers begin. The "
    "second matrix begins as zeros.",
    {.choices = {"bert", "mam_adapter"}});
}

/// The settings that a kind has besides those of its place.
std::vector<std::string> settings_of(std::string_view peft_type) {
  if (peft_type == "LORA")
    return {"r",
            "lora_alpha",
            "use_rslora",
            "use_dora",
            "init_lora_weights",
            "lora_dropout",
            "loraplus_lr_ratio",
            "loraplus_lr_embedding",
            "lora_bias",
            "bias"};
  if (peft_type == "VERA") return {"r", "projection_prng_key", "d_initial", "vera_dropout"};
  if (peft_type == "IA3") return {"feedforward_modules"};
  if (peft_type == "BOTTLENECK")
    return {"preset",  "reduction_factor", "non_linearity", "is_parallel", "original_ln_before",
            "scaling", "dropout",          "init_weights",  "leave_out"};
  return {};
}

template <class T>
void keep_or(std::optional<T>& given, const std::type_identity_t<T>& otherwise) {
  if (!given) given = otherwise;
}

void apply_preset(AdapterOptions& o) {
  const bool houlsby = o.preset == "houlsby", parallel = o.preset == "parallel";
  if (o.target_modules.empty() && houlsby) o.target_modules = {"all-attention", "all-mlp"};
  keep_or(o.reduction_factor, parallel ? 2 : 16);
  keep_or(o.non_linearity, houlsby ? "swish" : "relu");
  keep_or(o.is_parallel, parallel);
  keep_or(o.original_ln_before, !houlsby);
  keep_or(o.scaling, parallel ? "4.0" : "1.0");
  keep_or(o.init_weights, parallel ? "mam_adapter" : "bert");
}

template <class T>
void require_positive(const std::map<T, double>& map, const char* name) {
  for (const auto& [key, value] : map)
    require(std::isfinite(value) && value > 0, "{}: {}: expected a number above 0, found {}", name,
            key, value);
}

template <class T>
T value_for(const std::map<std::string, T>& patterns, const std::string& name, T otherwise) {
  for (const auto& [pattern, value] : patterns)
    if (matches(pattern, name)) return value;
  return otherwise;
}

}  // namespace

void AdapterOptions::fields(Fields& f) {
  f("peft_type", peft_type,
    "LORA: low-rank matrices beside linear layers (Hu et al. 2021). IA3: factors of what layers "
    "read "
    "or give (Liu et al. 2022). VERA: factors between random matrices (Kopiczko et al. 2024). "
    "BITFIT: "
    "the model's biases (Ben Zaken et al. 2022). BOTTLENECK: narrow MLPs behind or beside parts of "
    "the model (Houlsby et al. 2019).",
    {.choices = {"", "LORA", "IA3", "VERA", "BITFIT", "BOTTLENECK"}});
  f("target_modules", target_modules,
    "Where: ends of names such as q_proj, globs and regular expressions for whole names, and "
    "all-linear (every linear layer but the output layer), all-attention, all-mlp, all-blocks. By "
    "default what is usual for the kind.",
    {.placeholder = "NAMES"});
  f("exclude_modules", exclude_modules, "Those of them that get none, named likewise.",
    {.placeholder = "NAMES"});
  f("layers_to_transform", layers_to_transform, "Numbers of the layers, from 0; none: all.");
  f("leave_out", leave_out, "Numbers of layers that get none.");
  f("modules_to_save", modules_to_save,
    "Modules of the model that are trained whole, and saved with the adapter, by the ends of their "
    "names.",
    {.placeholder = "NAMES"});
  lora_fields(*this, f);
  bottleneck_fields(*this, f);
}

void AdapterOptions::check() {
  const std::vector<std::string> own = settings_of(peft_type);
  for (const std::string& key : changed_keys(to_value(*this), to_value(AdapterOptions()))) {
    const std::string name = key.substr(0, key.find('['));
    static const std::vector<std::string> common = {"peft_type",       "target_modules",
                                                    "exclude_modules", "layers_to_transform",
                                                    "modules_to_save", "leave_out"};
    require(std::ranges::find(common, name) != common.end() ||
                std::ranges::find(own, name) != own.end(),
            "{}: {} has no such setting", name, peft_type);
  }
  require(peft_type != "BITFIT" || target_modules.empty(),
          "target_modules: BITFIT trains the biases of the model, and sits at no layer");
  const auto rank = r.value_or(8);
  require(rank >= 1 && rank <= 1 << 16, "r: expected 1 to 65536, found {}", rank);
  require(std::isfinite(lora_alpha) && lora_alpha > 0,
          "lora_alpha: expected a number above 0, found {}", lora_alpha);
  require_positive(alpha_pattern, "alpha_pattern");
  for (const double share : {lora_dropout, vera_dropout, dropout})
    require(share >= 0 && share < 1, "dropout: expected a part from 0 to below 1, found {}", share);
  for (const auto& [key, value] : rank_pattern)
    require(value >= 1 && value <= 1 << 16, "rank_pattern: {}: expected 1 to 65536, found {}", key,
            value);
  require(!use_dora || !lora_bias, "lora_bias: use_dora goes without it");
  require(!use_dora || init_lora_weights != "pissa", "init_lora_weights: use_dora begins at true");
  if (peft_type != "BOTTLENECK") return;
  apply_preset(*this);
  require(std::isfinite(*reduction_factor) && *reduction_factor > 0,
          "reduction_factor: expected a number above 0, found {}", *reduction_factor);
  require_positive(reduction_factors, "reduction_factor");
  if (*scaling == "learned") return;
  char* end = nullptr;
  const double number = std::strtod(scaling->c_str(), &end);
  require(!scaling->empty() && *end == '\0' && std::isfinite(number) && number > 0,
          "scaling: expected a number above 0 or learned, found {}", *scaling);
}

int64_t AdapterOptions::rank_of(const std::string& site) const {
  return value_for(rank_pattern, site, r.value_or(peft_type == "VERA" ? 256 : 8));
}

double AdapterOptions::alpha_of(const std::string& site) const {
  return value_for(alpha_pattern, site, lora_alpha);
}

AdapterOptions AdapterOptions::as_saved() const {
  AdapterOptions saved = *this;
  if (init_lora_weights != "pissa") return saved;
  saved.init_lora_weights = "true";
  saved.r = 2 * r.value_or(8);
  const double wider = use_rslora ? std::sqrt(2.0) : 2.0;  // alpha that leaves the scale as it is
  saved.lora_alpha *= wider;
  for (auto& [name, rank] : saved.rank_pattern) rank *= 2;
  for (auto& [name, alpha] : saved.alpha_pattern) alpha *= wider;
  return saved;
}

int64_t AdapterOptions::width_at(const std::string& site, int64_t reads) const {
  const auto own = reduction_factors.find(layer_of(site + "."));
  const double factor =
      own != reduction_factors.end() ? own->second : reduction_factor.value_or(16);
  const double width = std::max(1.0, std::floor(static_cast<double>(reads) / factor));
  require(width <= 1 << 20,
          "reduction_factor: {} makes {} units of the {} that {} has: expected at "
          "most 1048576",
          factor, width, reads, site);
  return static_cast<int64_t>(width);
}

}  // namespace lathe
