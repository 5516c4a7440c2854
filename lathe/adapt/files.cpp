#include "lathe/adapt/files.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "lathe/adapt/hub_files.h"
#include "lathe/adapt/peft_files.h"
#include "lathe/io/json.h"
#include "lathe/io/safetensors.h"
#include "lathe/model/files.h"

namespace lathe {
namespace {

using nlohmann::json;

constexpr const char* config_name = "adapter_config.json";

json load_config(const fs::path& directory) {
  require(fs::exists(directory / config_name),
          "{}: expected a directory that PEFT, AdapterHub's adapters or Lathe wrote, with {} in it",
          directory.string(), config_name);
  return load_json(directory / config_name, 10'000'000);
}

/// The file with the tensors.
fs::path weights_path(const fs::path& directory) {
  const char* names[] = {"adapter_model.safetensors", "adapter.safetensors"};
  for (const char* name : names)
    if (fs::exists(directory / name)) return directory / name;
  fail(
      "{}: expected {} or {}; files of pickled tensors are not read: save the adapter as "
      "safetensors",
      directory.string(), names[0], names[1]);
}

void fill(const NamedTensor& target, const SafetensorsFile& file) {
  const TensorInfo& info = file.at(target.name);
  require(info.shape == target.tensor->sizes().vec(),
          "tensor {}: expected the shape {} of this base and configuration, found ({})",
          target.name, target.tensor->sizes(), fmt::join(info.shape, ", "));
  const Tensor stored = tensor_of(info, file.data(info));
  // In memory of its own: the model may be a mapped file. What was trained whole stays as precise
  // as it was saved, whatever the model is.
  const bool wide = target.tensor->scalar_type() == at::kFloat;
  *target.tensor = stored.to(target.tensor->device(), wide ? at::kFloat : stored.scalar_type(),
                             /*non_blocking=*/false, /*copy=*/true);
}

/// A classifier of PEFT says nothing of its labels; its output layer has a row for each.
void count_labels(const fs::path& directory, AdapterFacts& facts) {
  const SafetensorsFile file(weights_path(directory));
  const TensorInfo& outputs = file.at("base_model.model.score.weight");
  require(outputs.shape.size() == 2, "tensor {}: expected a matrix, found ({})", outputs.name,
          fmt::join(outputs.shape, ", "));
  for (int64_t i = 0; i < outputs.shape[0]; ++i) facts.labels.push_back(format("LABEL_{}", i));
  facts.problem_type = outputs.shape[0] == 1 ? "regression" : "single_label_classification";
}

}  // namespace

AdapterOptions read_adapter_config(const fs::path& directory) {
  const json config = load_config(directory);
  const Context reading("{}", config_name);
  return is_hub_config(config) ? options_from_hub(config) : options_from_peft(config);
}

AdapterFacts read_adapter_facts(const fs::path& directory) {
  if (directory.empty()) return {};
  const json config = load_config(directory);
  const Context reading("{}", config_name);
  AdapterFacts facts{
      .base = get_string_or(config,
                            is_hub_config(config) ? "model_name" : "base_model_name_or_path", ""),
      .problem_type = get_string_or(config, "problem_type", "")};
  if (find_member(config, "ensure_weight_tying") != nullptr)
    facts.ensure_weight_tying = get_bool(config, "ensure_weight_tying");
  if (find_member(config, "labels") != nullptr)
    facts.labels = get_names(config, "labels");
  else if (get_string_or(config, "task_type", "") == "SEQ_CLS")
    count_labels(directory, facts);
  return facts;
}

std::vector<std::string> get_names(const json& config, const char* name) {
  std::vector<std::string> list;
  for (const json& each : get_array(config, name)) {
    require(each.is_string(), "\"{}\": expected names, found {}", name, show_json(each));
    list.push_back(each.get<std::string>());
  }
  return list;
}

void refuse_unknown(const json& config,
                    std::initializer_list<std::span<const std::string_view>> known) {
  const auto holds = [](const auto& name) {
    return [&](auto list) { return std::ranges::find(list, name) != list.end(); };
  };
  for (const auto& [name, value] : config.items()) {
    const bool off = value.is_null() || value == false || (value.is_structured() && value.empty());
    require(off || std::ranges::any_of(known, holds(name)), "\"{}\": {} is not supported", name,
            show_json(value));
  }
}

std::string tensor_prefix(const AdapterOptions& options, const Site& site) {
  if (options.peft_type == "BOTTLENECK") return hub_prefix(options, site);
  return "base_model.model." + site.name;
}

bool has_adapter_tensor(const fs::path& directory, const std::string& name) {
  return SafetensorsFile(weights_path(directory)).find(name) != nullptr;
}

void read_adapter_tensors(const fs::path& directory, const std::vector<NamedTensor>& tensors,
                          const std::vector<NamedTensor>& optional) {
  const at::NoGradGuard no_grad;
  const SafetensorsFile file(weights_path(directory));
  std::set<std::string> known;
  for (const NamedTensor& each : tensors) {
    known.insert(each.name);
    fill(each, file);
  }
  for (const NamedTensor& each : optional) {
    known.insert(each.name);
    if (file.find(each.name) != nullptr) fill(each, file);
  }
  for (const TensorInfo& info : file.tensors())
    require(known.contains(info.name),
            "tensor {} has no place: the adapter is that of another base, or of another "
            "configuration",
            info.name);
}

std::string write_adapter(const fs::path& directory, const AdapterOptions& options,
                          const std::vector<Site>& sites, const NamedTensors& tensors,
                          const AdapterFacts& facts) {
  const bool of_hub = options.peft_type == "BOTTLENECK";
  std::string missing;
  json config =
      of_hub ? hub_config(options, sites, facts, missing) : peft_config(options, sites, facts);
  if (options.peft_type == "BITFIT") missing = "PEFT has no adapters of biases alone";
  if (!facts.labels.empty()) {
    config["labels"] = facts.labels;
    config["problem_type"] = facts.problem_type;
  }
  write_tensors(directory / (of_hub ? "adapter.safetensors" : "adapter_model.safetensors"), tensors,
                {{"format", "pt"}});
  write_file(directory / config_name, config.dump(2) + "\n");
  return missing;
}

}  // namespace lathe
