#include "lathe/adapt/peft_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "lathe/adapt/targets.h"
#include "lathe/io/json.h"

namespace lathe {
namespace {

using nlohmann::json;

/// Members that say nothing about what the adapter computes.
constexpr std::string_view peft_silent[] = {"auto_mapping",
                                            "base_model_name_or_path",
                                            "ensure_weight_tying",
                                            "eva_config",
                                            "fan_in_fan_out",
                                            "inference_mode",
                                            "init_ia3_weights",
                                            "init_weights",
                                            "labels",
                                            "layers_pattern",
                                            "megatron_config",
                                            "megatron_core",
                                            "monteclora_config",
                                            "peft_version",
                                            "problem_type",
                                            "qalora_group_size",
                                            "revision",
                                            "save_projection",
                                            "task_type",
                                            "velora_config"};

/// Members that `options_from_peft` reads.
constexpr std::string_view peft_known[] = {"peft_type",
                                           "r",
                                           "lora_alpha",
                                           "target_modules",
                                           "exclude_modules",
                                           "layers_to_transform",
                                           "modules_to_save",
                                           "use_rslora",
                                           "use_dora",
                                           "rank_pattern",
                                           "alpha_pattern",
                                           "bias",
                                           "init_lora_weights",
                                           "lora_bias",
                                           "projection_prng_key",
                                           "d_initial",
                                           "feedforward_modules",
                                           "lora_dropout",
                                           "vera_dropout"};

/// A list of names, or one text, which is "all-linear" or a regular expression.
std::vector<std::string> names_in(const json& config, const char* name) {
  const json* found = find_member(config, name);
  if (found == nullptr) return {};
  if (found->is_string()) return {found->get<std::string>()};
  return get_names(config, name);
}

/// What adapters begin with changes the base where it is PiSSA or its kin.
std::string initialisation(const json& config) {
  const json* found = find_member(config, "init_lora_weights");
  if (found == nullptr || found->is_boolean()) return "true";
  static const std::set<std::string> harmless = {"gaussian", "eva", "orthogonal"};
  if (found->is_string() && harmless.contains(found->get<std::string>())) return "true";
  require(
      *found == "pissa",
      "\"init_lora_weights\": {}: such an adapter belongs to a base that was changed; convert it "
      "to a plain one with PEFT",
      show_json(*found));
  return "pissa";
}

std::vector<int64_t> numbers_in(const json& config, const char* name) {
  const json* found = find_member(config, name);
  if (found == nullptr) return {};
  const json list = found->is_array() ? *found : json::array({*found});
  std::vector<int64_t> numbers;
  for (const json& each : list) {
    require(each.is_number_unsigned() && each.get<uint64_t>() < (1 << 20),
            "\"{}\": expected numbers of layers, found {}", name, show_json(each));
    numbers.push_back(each.get<int64_t>());
  }
  return numbers;
}

template <class T>
std::map<std::string, T> pattern_in(const json& config, const char* name) {
  std::map<std::string, T> patterns;
  if (find_member(config, name) == nullptr) return patterns;
  for (const auto& [key, value] : get_object(config, name).items()) {
    const bool fits = std::is_integral_v<T> ? value.is_number_unsigned() : value.is_number();
    require(fits, "\"{}\": {}: expected a number, found {}", name, key, show_json(value));
    require(key.find_first_of("^$*+?()[]{}|\\") == key.npos,
            "\"{}\": {}: expected the end of a layer's name; regular expressions are not supported",
            name, key);
    patterns[key] = value.template get<T>();
  }
  return patterns;
}

/// Whether IA3 scales what a layer reads.
bool scales_input(const AdapterOptions& o, const Site& site) {
  return o.peft_type == "IA3" && matches_any(o.feedforward_modules, site.name);
}

/// Whether one word means layers of IA3 that read and that give what is scaled, for which PEFT has
/// lists of words.
bool is_mixed(const AdapterOptions& o, const std::string& word, const std::vector<Site>& sites) {
  std::set<bool> kinds;
  for (const Site& site : sites)
    if (matches(word, site.name)) kinds.insert(scales_input(o, site));
  return kinds.size() > 1;
}

/// Whether the configuration of the kind has that key; PEFT warns of one that it does not have.
bool has_key(const AdapterOptions& o, std::string_view key) {
  return o.peft_type == "LORA" ||
         key != (o.peft_type == "IA3" ? "layers_to_transform" : "exclude_modules");
}

/// Which layers, in PEFT's words; where it has none, their full names.
json targets(const AdapterOptions& o, const std::vector<Site>& sites) {
  const bool all = o.target_modules == std::vector<std::string>{"all-linear"};
  if (all && o.exclude_modules.empty() && o.leave_out.empty() && o.layers_to_transform.empty() &&
      o.peft_type != "IA3")
    return "all-linear";
  const bool mixed = std::ranges::any_of(
      o.target_modules, [&](const std::string& word) { return is_mixed(o, word, sites); });
  const bool has_words = (o.exclude_modules.empty() || has_key(o, "exclude_modules")) &&
                         (o.layers_to_transform.empty() || has_key(o, "layers_to_transform"));
  if (has_words && std::ranges::all_of(o.target_modules, is_plain) &&
      std::ranges::all_of(o.exclude_modules, is_plain) && o.leave_out.empty() && !mixed)
    return o.target_modules;
  json names = json::array();
  for (const Site& site : sites) names.push_back(site.name);
  return names;
}

}  // namespace

AdapterOptions options_from_peft(const json& config) {
  AdapterOptions o;
  o.peft_type = get_string(config, "peft_type");
  static const std::set<std::string> kinds = {"LORA", "IA3", "VERA", "BITFIT"};
  require(kinds.contains(o.peft_type),
          "\"peft_type\": expected LORA, IA3, VERA or BITFIT, found {}", o.peft_type);
  refuse_unknown(config, {peft_known, peft_silent});
  o.target_modules = names_in(config, "target_modules");
  require(!o.target_modules.empty() || o.peft_type == "BITFIT",
          "\"target_modules\": expected names of layers, found none");
  o.exclude_modules = names_in(config, "exclude_modules");
  o.modules_to_save = names_in(config, "modules_to_save");
  o.layers_to_transform = numbers_in(config, "layers_to_transform");
  if (o.peft_type == "IA3") o.feedforward_modules = names_in(config, "feedforward_modules");
  if (o.peft_type == "VERA") {
    o.r = get_int_or(config, "r", 256);
    o.vera_dropout = get_number_or(config, "vera_dropout", 0, 0, 1);
    o.projection_prng_key = get_int_or(config, "projection_prng_key", 0, 0);
    require(get_string_or(config, "bias", "none") == "none", "\"bias\": expected none, found {}",
            get_string_or(config, "bias", "none"));
  }
  if (o.peft_type != "LORA") return o;
  o.init_lora_weights = initialisation(config);
  o.bias = get_string_or(config, "bias", "none");
  o.r = get_int_or(config, "r", 8);
  o.lora_alpha = get_number_or(config, "lora_alpha", 8);
  o.lora_dropout = get_number_or(config, "lora_dropout", 0, 0, 1);
  o.use_rslora = get_bool_or(config, "use_rslora", false);
  o.use_dora = get_bool_or(config, "use_dora", false);
  o.lora_bias = get_bool_or(config, "lora_bias", false);
  o.rank_pattern = pattern_in<int64_t>(config, "rank_pattern");
  o.alpha_pattern = pattern_in<double>(config, "alpha_pattern");
  return o;
}

json peft_config(const AdapterOptions& o, const std::vector<Site>& sites,
                 const AdapterFacts& facts) {
  const auto or_null = [](const auto& list) { return list.empty() ? json(nullptr) : json(list); };
  const json names = targets(o, sites);
  const bool plain = names.is_string() || names == json(o.target_modules);
  json config = {{"peft_type", o.peft_type},
                 {"task_type", facts.labels.empty() ? "CAUSAL_LM" : "SEQ_CLS"},
                 {"base_model_name_or_path", facts.base},
                 {"target_modules", names},
                 {"modules_to_save", or_null(o.modules_to_save)},
                 {"fan_in_fan_out", std::ranges::any_of(sites,
                                                        [](const Site& site) {
                                                          return site.kind == SiteKind::linear &&
                                                                 site.transposed;
                                                        })},
                 {"inference_mode", true}};
  const auto put = [&](const char* key, const auto& list) {
    if (has_key(o, key)) config[key] = plain ? or_null(list) : json(nullptr);
  };
  put("exclude_modules", o.exclude_modules);
  put("layers_to_transform", o.layers_to_transform);
  if (o.peft_type == "LORA")
    config.update({{"r", o.r.value_or(8)},
                   {"lora_alpha", o.lora_alpha},
                   {"lora_dropout", o.lora_dropout},
                   {"use_rslora", o.use_rslora},
                   {"use_dora", o.use_dora},
                   {"lora_bias", o.lora_bias},
                   {"ensure_weight_tying", facts.ensure_weight_tying.value_or(false)},
                   {"rank_pattern", o.rank_pattern},
                   {"alpha_pattern", o.alpha_pattern},
                   {"bias", o.bias}});
  if (o.peft_type == "VERA")
    config.update({{"r", o.r.value_or(256)},
                   {"projection_prng_key", o.projection_prng_key},
                   {"save_projection", true},
                   {"vera_dropout", o.vera_dropout},
                   {"d_initial", o.d_initial},
                   {"bias", "none"}});
  if (o.peft_type == "IA3") {
    // PEFT wants them among the targets, in the same words.
    json inputs = json::array();
    for (const json& name : names)
      if (std::ranges::any_of(sites, [&](const Site& site) {
            return matches(name.get<std::string>(), site.name) && scales_input(o, site);
          }))
        inputs.push_back(name);
    config["feedforward_modules"] = inputs;
  }
  return config;
}

}  // namespace lathe
