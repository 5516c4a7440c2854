#include "lathe/adapt/hub_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "lathe/io/json.h"

namespace lathe {
namespace {

using nlohmann::json;

/// Members that say nothing about what is computed, or whose other values are refused below.
constexpr std::string_view hub_silent[] = {"architecture",
                                           "inv_adapter_reduction_factor",
                                           "shared_phm_rule",
                                           "phm_c_init",
                                           "phm_dim",
                                           "phm_init_range",
                                           "phm_rank",
                                           "factorized_phm_W",
                                           "factorized_phm_rule",
                                           "learn_phm",
                                           "shared_W_phm",
                                           "phm_bias",
                                           "hypercomplex_nonlinearity",
                                           "stochastic_depth"};

constexpr std::string_view hub_known[] = {"mh_adapter",         "output_adapter",
                                          "reduction_factor",   "non_linearity",
                                          "is_parallel",        "scaling",
                                          "original_ln_before", "original_ln_after",
                                          "residual_before_ln", "adapter_residual_before_ln",
                                          "leave_out",          "dropout",
                                          "init_weights"};

std::string parent_of(const std::string& name) {
  return name.substr(0, name.rfind('.'));
}

/// Numbers of the layers whose site of that kind has an adapter.
std::set<int64_t> layers_with(SiteKind kind, const std::vector<Site>& sites) {
  std::set<int64_t> layers;
  for (const Site& site : sites)
    if (site.kind == kind) layers.insert(layer_of(site.name + "."));
  return layers;
}

void read_reduction_factor(const json& value, AdapterOptions& o) {
  if (value.is_number()) {
    o.reduction_factor = value.get<double>();
    return;
  }
  require(value.is_object(), "\"reduction_factor\": expected a number or an object, found {}",
          show_json(value));
  for (const auto& [layer, factor] : value.items()) {
    require(factor.is_number(), "\"reduction_factor\": {}: expected a number, found {}", layer,
            show_json(factor));
    if (layer == "default") {
      o.reduction_factor = factor.get<double>();
      continue;
    }
    require(
        !layer.empty() && layer.size() < 7 && layer.find_first_not_of("0123456789") == layer.npos,
        "\"reduction_factor\": expected numbers of layers or default, found {}", layer);
    o.reduction_factors[std::stoll(layer)] = factor.get<double>();
  }
}

std::string scaling_in(const json& config) {
  const json* found = find_member(config, "scaling");
  if (found == nullptr) return "1.0";
  if (found->is_number()) return format("{}", found->get<double>());
  require(*found == "learned", "\"scaling\": expected a number or learned, found {}",
          show_json(*found));
  return "learned";
}

void refuse_unread(const json& config, const AdapterOptions& o) {
  refuse_unknown(config, {hub_known, hub_silent});
  for (const char* name : {"original_ln_after", "residual_before_ln"})
    require(get_bool_or(config, name, true) || *o.is_parallel, "\"{}\": false is not supported",
            name);
  const json* inverse = find_member(config, "adapter_residual_before_ln");
  require(inverse == nullptr || *inverse == false,
          "\"adapter_residual_before_ln\": true is not supported");
}

}  // namespace

bool is_hub_config(const json& config) {
  return config.is_object() && config.contains("config") && !config.contains("peft_type");
}

AdapterOptions options_from_hub(const json& file) {
  const json& config = get_object(file, "config");
  AdapterOptions o;
  o.peft_type = "BOTTLENECK";
  o.name = get_string_or(file, "name", "default");
  require(o.name.find('.') == o.name.npos && !o.name.empty(),
          "\"name\": expected one without dots, found {}", o.name);
  o.original_ln_before = get_bool_or(config, "original_ln_before", false);
  o.is_parallel = get_bool_or(config, "is_parallel", false);
  o.non_linearity = get_string(config, "non_linearity");
  o.scaling = scaling_in(config);
  o.dropout = get_number_or(config, "dropout", 0, 0, 1);
  o.init_weights = get_string_or(config, "init_weights", "bert");
  const json* factor = find_member(config, "reduction_factor");
  require(factor != nullptr, "\"reduction_factor\": expected a number, found nothing");
  read_reduction_factor(*factor, o);
  refuse_unread(config, o);
  if (find_member(config, "leave_out") != nullptr)
    for (const json& layer : get_array(config, "leave_out")) {
      require(layer.is_number_unsigned(), "\"leave_out\": expected numbers of layers, found {}",
              show_json(layer));
      o.leave_out.push_back(layer.get<int64_t>());
    }
  if (const json* own = find_member(file, "lathe"); own != nullptr) {
    o.target_modules = get_names(*own, "target_modules");
    return o;
  }
  if (get_bool(config, "mh_adapter")) o.target_modules.emplace_back("all-attention");
  if (get_bool(config, "output_adapter")) o.target_modules.emplace_back("all-mlp");
  require(!o.target_modules.empty(),
          "expected \"mh_adapter\" or \"output_adapter\" to be true, or the adapter sits nowhere");
  return o;
}

json hub_config(const AdapterOptions& o, const std::vector<Site>& sites, const AdapterFacts& facts,
                std::string& missing) {
  const std::set<int64_t> attention = layers_with(SiteKind::attention, sites);
  const std::set<int64_t> mlp = layers_with(SiteKind::mlp, sites);
  const bool has_words = attention.size() + mlp.size() == sites.size() &&
                         (attention.empty() || mlp.empty() || attention == mlp);
  json leave_out = json::array();
  for (int64_t layer = 0; layer < facts.layers && has_words; ++layer)
    if (!attention.contains(layer) && !mlp.contains(layer)) leave_out.push_back(layer);
  json factor = *o.reduction_factor;
  if (!o.reduction_factors.empty()) {
    factor = {{"default", *o.reduction_factor}};
    for (const auto& [layer, own] : o.reduction_factors) factor[format("{}", layer)] = own;
  }
  const bool learned = *o.scaling == "learned";
  json config = {{"config",
                  {{"architecture", nullptr},
                   {"mh_adapter", has_words && !attention.empty()},
                   {"output_adapter", has_words && !mlp.empty()},
                   {"reduction_factor", factor},
                   {"non_linearity", *o.non_linearity},
                   {"is_parallel", *o.is_parallel},
                   {"scaling", learned ? json("learned") : json(std::stod(*o.scaling))},
                   {"original_ln_before", *o.original_ln_before},
                   {"original_ln_after", true},
                   {"residual_before_ln", true},
                   {"adapter_residual_before_ln", false},
                   {"ln_before", false},
                   {"ln_after", false},
                   {"leave_out", leave_out},
                   {"init_weights", *o.init_weights},
                   {"dropout", o.dropout},
                   {"use_gating", false}}},
                 {"hidden_size", facts.hidden_size},
                 {"model_class", facts.architecture},
                 {"model_name", facts.base},
                 {"model_type", facts.model_type},
                 {"name", o.name},
                 {"version", "adapters.1.3.0"}};
  if (has_words) return config;
  json names = json::array();
  for (const Site& site : sites) names.push_back(site.name);
  config["lathe"] = {{"target_modules", names}};
  missing = "AdapterHub has no words for these places: only Lathe reads this adapter";
  return config;
}

std::string hub_prefix(const AdapterOptions& options, const Site& site) {
  const std::string adapters = ".adapters." + options.name;
  if (site.kind == SiteKind::attention)
    return parent_of(site.name) + ".attention_adapters" + adapters;
  if (site.kind == SiteKind::mlp) return parent_of(site.name) + ".output_adapters" + adapters;
  return site.name + adapters;
}

}  // namespace lathe
