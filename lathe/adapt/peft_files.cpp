#include "lathe/adapt/peft_files.h"

#include <nlohmann/json.hpp>
#include <set>

#include "lathe/io/json.h"
#include "lathe/io/safetensors.h"
#include "lathe/model/files.h"

namespace lathe {
namespace {

using nlohmann::json;

constexpr const char* config_name = "adapter_config.json";
constexpr const char* weights_name = "adapter_model.safetensors";

/// Members that say nothing about what the adapter computes.
const std::set<std::string>& silent_members() {
  static const std::set<std::string> names = {"auto_mapping",
                                              "base_model_name_or_path",
                                              "ensure_weight_tying",
                                              "eva_config",
                                              "fan_in_fan_out",
                                              "inference_mode",
                                              "labels",
                                              "layers_pattern",
                                              "lora_dropout",
                                              "megatron_config",
                                              "megatron_core",
                                              "monteclora_config",
                                              "peft_version",
                                              "problem_type",
                                              "qalora_group_size",
                                              "revision",
                                              "task_type",
                                              "velora_config"};
  return names;
}

/// Members that `read_adapter_config` reads.
const std::set<std::string>& known_members() {
  static const std::set<std::string> names = {"peft_type",        "r",
                                              "lora_alpha",       "target_modules",
                                              "exclude_modules",  "layers_to_transform",
                                              "modules_to_save",  "use_rslora",
                                              "use_dora",         "rank_pattern",
                                              "alpha_pattern",    "bias",
                                              "init_lora_weights"};
  return names;
}

/// Whether a member says that something is not used.
bool is_off(const json& value) {
  return value.is_null() || value == false || (value.is_structured() && value.empty());
}

std::vector<std::string> names_in(const json& config, const char* name) {
  const json* found = find_member(config, name);
  if (found == nullptr) return {};
  if (found->is_string()) {
    const auto& text = found->get_ref<const std::string&>();
    require(text == "all-linear", "\"{}\": expected a list of names, found {}", name,
            show_json(*found));
    return {text};
  }
  std::vector<std::string> list;
  for (const json& each : get_array(config, name)) {
    require(each.is_string(), "\"{}\": expected names, found {}", name, show_json(each));
    list.push_back(each.get<std::string>());
  }
  return list;
}

/// Throws Error where PEFT would change the base when it loads the adapter (PiSSA and its kin).
void check_initialisation(const json& config) {
  const json* found = find_member(config, "init_lora_weights");
  if (found == nullptr || found->is_boolean()) return;
  static const std::set<std::string> harmless = {"gaussian", "eva", "orthogonal"};
  require(
      found->is_string() && harmless.contains(found->get<std::string>()),
      "\"init_lora_weights\": {}: such an adapter belongs to a base that was changed; convert it "
      "to a plain one with PEFT",
      show_json(*found));
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
  const json* found = find_member(config, name);
  if (found == nullptr) return patterns;
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

}  // namespace

AdapterOptions read_adapter_config(const fs::path& directory) {
  const json config = load_json(directory / config_name, 10'000'000);
  const Context reading("{}", config_name);
  AdapterOptions o;
  o.peft_type = get_string(config, "peft_type");
  require(o.peft_type == "LORA", "\"peft_type\": expected LORA, found {}", o.peft_type);
  for (const auto& [name, value] : config.items())
    require(known_members().contains(name) || silent_members().contains(name) || is_off(value),
            "\"{}\": {} is not supported", name, show_json(value));
  check_initialisation(config);
  require(get_string_or(config, "bias", "none") == "none", "\"bias\": expected none, found {}",
          get_string_or(config, "bias", "none"));
  o.r = get_int_or(config, "r", 8);
  o.lora_alpha = get_number_or(config, "lora_alpha", 8);
  o.target_modules = names_in(config, "target_modules");
  o.exclude_modules = names_in(config, "exclude_modules");
  o.modules_to_save = names_in(config, "modules_to_save");
  o.layers_to_transform = numbers_in(config, "layers_to_transform");
  o.use_rslora = get_bool_or(config, "use_rslora", false);
  o.use_dora = get_bool_or(config, "use_dora", false);
  o.rank_pattern = pattern_in<int64_t>(config, "rank_pattern");
  o.alpha_pattern = pattern_in<double>(config, "alpha_pattern");
  return o;
}

AdapterFacts read_adapter_facts(const fs::path& directory) {
  const json config = load_json(directory / config_name, 10'000'000);
  const Context reading("{}", config_name);
  return {.base = get_string_or(config, "base_model_name_or_path", ""),
          .labels = names_in(config, "labels"),
          .problem_type = get_string_or(config, "problem_type", "")};
}

void read_adapter_tensors(const fs::path& directory, const std::vector<NamedTensor>& tensors) {
  const at::NoGradGuard no_grad;
  const SafetensorsFile file(directory / weights_name);
  std::set<std::string> expected;
  for (const NamedTensor& each : tensors) {
    expected.insert(each.name);
    const TensorInfo& info = file.at(each.name);
    require(info.shape == each.tensor->sizes().vec(),
            "tensor {}: expected the shape {} of this base and configuration, found ({})",
            each.name, each.tensor->sizes(), fmt::join(info.shape, ", "));
    const Tensor stored = tensor_of(info, file.data(info));
    // In memory of its own: the model may be a mapped file. What was trained whole stays as precise
    // as it was saved, whatever the model is.
    const bool wide = each.tensor->scalar_type() == at::kFloat;
    *each.tensor = stored.to(each.tensor->device(), wide ? at::kFloat : stored.scalar_type(),
                             /*non_blocking=*/false, /*copy=*/true);
  }
  for (const TensorInfo& info : file.tensors())
    require(expected.contains(info.name),
            "tensor {} has no place: the adapter is that of another base, or of another "
            "configuration",
            info.name);
}

void write_adapter(const fs::path& directory, const AdapterOptions& o,
                   const std::vector<NamedTensor>& tensors, const AdapterFacts& facts) {
  const auto or_null = [](const auto& list) { return list.empty() ? json(nullptr) : json(list); };
  const bool all = std::ranges::find(o.target_modules, "all-linear") != o.target_modules.end();
  json config = {{"peft_type", o.peft_type},
                 {"task_type", facts.labels.empty() ? "CAUSAL_LM" : "SEQ_CLS"},
                 {"base_model_name_or_path", facts.base},
                 {"r", o.r},
                 {"lora_alpha", o.lora_alpha},
                 {"lora_dropout", 0.0},
                 {"target_modules", all ? json("all-linear") : json(o.target_modules)},
                 {"exclude_modules", or_null(o.exclude_modules)},
                 {"layers_to_transform", or_null(o.layers_to_transform)},
                 {"modules_to_save", or_null(o.modules_to_save)},
                 {"use_rslora", o.use_rslora},
                 {"use_dora", o.use_dora},
                 {"rank_pattern", o.rank_pattern},
                 {"alpha_pattern", o.alpha_pattern},
                 {"fan_in_fan_out", facts.fan_in_fan_out},
                 {"bias", "none"},
                 {"inference_mode", true}};
  if (!facts.labels.empty()) {
    config["labels"] = facts.labels;
    config["problem_type"] = facts.problem_type;
  }
  std::vector<Tensor> on_cpu;
  std::vector<TensorView> views;
  for (const NamedTensor& each : tensors) {
    on_cpu.push_back(each.tensor->detach().to(at::kCPU).contiguous());
    views.push_back(view_of(each.name, on_cpu.back()));
  }
  write_safetensors_atomic(directory / weights_name, views, {{"format", "pt"}});
  write_file(directory / config_name, config.dump(2) + "\n");
}

}  // namespace lathe
