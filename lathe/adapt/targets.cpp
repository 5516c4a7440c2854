#include "lathe/adapt/targets.h"

#include <algorithm>
#include <set>

#include "lathe/io/glob.h"
#include "lathe/io/regex.h"

namespace lathe {
namespace {

/// Words that mean every site of a kind; the first is PEFT's, and leaves out the output layer.
std::optional<SiteKind> kind_meant(std::string_view pattern) {
  if (pattern == "all-linear") return SiteKind::linear;
  if (pattern == "all-attention") return SiteKind::attention;
  if (pattern == "all-mlp") return SiteKind::mlp;
  if (pattern == "all-blocks") return SiteKind::block;
  return std::nullopt;
}

bool means(const std::string& pattern, const Site& site) {
  if (const auto kind = kind_meant(pattern)) return site.kind == *kind;
  return matches(pattern, site.name);
}

bool means_any(const std::vector<std::string>& patterns, const Site& site) {
  return std::ranges::any_of(patterns, [&](const auto& p) { return means(p, site); });
}

/// The last parts of the sites' names: "down_proj, gate_proj, ...".
std::string ends_of(const std::vector<Site>& sites) {
  std::set<std::string> ends;
  for (const Site& site : sites)
    if (site.kind != SiteKind::block) ends.insert(site.name.substr(site.name.rfind('.') + 1));
  return format("{}", fmt::join(ends, ", "));
}

/// The module that the pattern means and the weight belongs to; nothing: there is none.
std::optional<std::string> module_meant(const std::string& pattern, const std::string& weight) {
  for (size_t dot = weight.find('.'); dot != weight.npos; dot = weight.find('.', dot + 1))
    if (matches(pattern, weight.substr(0, dot))) return weight.substr(0, dot);
  return std::nullopt;
}

/// Whether a weight is a bias that the option `bias` names.
bool is_chosen_bias(const AdapterOptions& options, const NamedTensor& weight,
                    const std::vector<Site>& sites) {
  if (!weight.name.ends_with(".bias")) return false;
  if (options.bias == "all" || options.peft_type == "BITFIT") return true;
  return options.bias == "lora_only" &&
         std::ranges::any_of(sites, [&](const Site& site) { return site.bias == weight.tensor; });
}

bool has_layer(const std::vector<int64_t>& layers, const Site& site) {
  return std::ranges::find(layers, layer_of(site.name + ".")) != layers.end();
}

std::vector<Site> possible_sites(const AdapterOptions& options, Model& model) {
  std::vector<Site> sites = model.sites();
  std::erase_if(sites, [&](const Site& site) { return !may_sit(options, site.kind); });
  return sites;
}

}  // namespace

bool matches(const std::string& pattern, const std::string& module) {
  const bool has_signs =
      pattern.find_first_of("^$()+{}|\\") != pattern.npos || pattern.find(".*") != pattern.npos;
  // No expression begins with a repetition, but "*.experts.*" is a glob.
  if (has_signs && !pattern.starts_with('*')) return full_match(pattern, module);
  if (pattern.find_first_of("*?[]") != pattern.npos) return matches_glob(pattern, module);
  return module.ends_with(pattern) &&
         (module.size() == pattern.size() || module[module.size() - pattern.size() - 1] == '.');
}

bool matches_any(const std::vector<std::string>& patterns, const std::string& module) {
  return std::ranges::any_of(patterns, [&](const auto& p) { return matches(p, module); });
}

bool may_sit(const AdapterOptions& options, SiteKind kind) {
  if (options.peft_type == "BOTTLENECK") return true;
  if (options.peft_type == "BITFIT") return false;
  return kind == SiteKind::linear || kind == SiteKind::output ||
         (kind == SiteKind::embedding && options.peft_type == "LORA");
}

std::vector<std::string> default_targets(const AdapterOptions& options, Model& model) {
  if (options.peft_type == "BOTTLENECK") return {"all-mlp"};
  if (options.peft_type == "BITFIT") return {};
  if (options.peft_type != "IA3") return {"all-linear"};
  // Keys, values and the second layer of the MLP, as their families call them.
  std::vector<std::string> targets;
  const std::vector<Site> sites = model.sites();
  for (const char* name : {"k_proj", "v_proj", "qkv_proj", "c_attn", "query_key_value", "down_proj",
                           "mlp.c_proj", "dense_4h_to_h"})
    if (std::ranges::any_of(sites, [&](const Site& site) { return matches(name, site.name); }))
      targets.emplace_back(name);
  return targets;
}

std::vector<Site> target_sites(const AdapterOptions& options, Model& model) {
  if (options.peft_type == "BITFIT") return {};
  std::vector<Site> sites = possible_sites(options, model);
  const std::string ends = ends_of(sites);
  for (const std::string& target : options.target_modules)
    require(std::ranges::any_of(sites, [&](const Site& site) { return means(target, site); }),
            "target_modules: {} names no {}; there are {}", target,
            options.peft_type == "BOTTLENECK" ? "place in the model" : "linear layer", ends);
  const auto& layers = options.layers_to_transform;
  std::erase_if(sites, [&](const Site& site) {
    const bool saved = std::ranges::any_of(options.modules_to_save, [&](const auto& pattern) {
      return module_meant(pattern, site.name + ".").has_value();  // trained whole, as in PEFT
    });
    return saved || !means_any(options.target_modules, site) ||
           means_any(options.exclude_modules, site) ||
           (!layers.empty() && !has_layer(layers, site)) || has_layer(options.leave_out, site);
  });
  require(
      !sites.empty(),
      "target_modules, exclude_modules, layers_to_transform and modules_to_save leave no layer; "
      "there are {}",
      ends);
  return sites;
}

std::vector<NamedTensor> saved_weights(const AdapterOptions& options, Model& model,
                                       const std::vector<Site>& sites) {
  std::vector<NamedTensor> saved;
  std::set<std::string> unmatched(options.modules_to_save.begin(), options.modules_to_save.end());
  for (const NamedTensor& weight : model.named_tensors()) {
    bool chosen = weight.name == "score.weight" || is_chosen_bias(options, weight, sites);
    for (const std::string& pattern : options.modules_to_save) {
      if (!module_meant(pattern, weight.name)) continue;
      chosen = true;
      unmatched.erase(pattern);
    }
    if (chosen) saved.push_back(weight);
  }
  for (const char* of_peft : {"score", "classifier"}) unmatched.erase(of_peft);
  require(unmatched.empty(), "modules_to_save: {} names no module with weights of its own",
          fmt::join(unmatched, ", "));
  require(options.peft_type != "BITFIT" ||
              std::ranges::any_of(saved, [](const auto& w) { return w.name.ends_with(".bias"); }),
          "BITFIT: the model has no biases that could be trained");
  return saved;
}

bool is_plain(const std::string& pattern) {
  return pattern.find_first_of("^$()+{}|\\*?[]") == pattern.npos && !kind_meant(pattern);
}

std::vector<std::string> plain_names(const std::vector<std::string>& patterns,
                                     const std::vector<NamedTensor>& weights) {
  std::vector<std::string> names;
  for (const std::string& pattern : patterns) {
    if (is_plain(pattern)) {
      names.push_back(pattern);
      continue;
    }
    for (const NamedTensor& weight : weights)
      if (const auto module = module_meant(pattern, weight.name);
          module && std::ranges::find(names, *module) == names.end())
        names.push_back(*module);
  }
  return names;
}

}  // namespace lathe
