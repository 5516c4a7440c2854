#include "lathe/adapt/adapter.h"

#include <algorithm>
#include <array>

#include "lathe/adapt/bottleneck.h"
#include "lathe/adapt/files.h"
#include "lathe/adapt/ia3.h"
#include "lathe/adapt/lora.h"
#include "lathe/adapt/targets.h"
#include "lathe/adapt/vera.h"
#include "lathe/model/family/family.h"
#include "lathe/ops/quantized.h"

namespace lathe {
namespace {

constexpr const char* prefix = "base_model.model.";

/// What settings leave open, filled in for a new adapter.
AdapterOptions with_defaults(AdapterOptions options, Model& model) {
  options.check();
  if (options.target_modules.empty()) options.target_modules = default_targets(options, model);
  if (options.peft_type == "IA3" && options.feedforward_modules.empty())
    options.feedforward_modules = {"down_proj", "mlp.c_proj", "dense_4h_to_h"};
  return options;
}

/// Whether files of the kind can say that a saved embedding is the output layer too: PEFT's of LoRA
/// do, and of those that Lathe alone reads it is so.
bool can_say_tied(const AdapterOptions& options) {
  return options.peft_type != "IA3" && options.peft_type != "VERA";
}

/// Whether `copy` is the weight, which may have been rounded before it was copied.
bool is_copy_of(const Tensor& copy, const Tensor& weight) {
  return std::ranges::any_of(
      std::array{weight.scalar_type(), at::kHalf, at::kBFloat16}, [&](at::ScalarType dtype) {
        const Tensor rounded = copy.to(dtype);
        return at::equal(rounded, weight.to(dtype)) &&
               (dtype == weight.scalar_type() || at::equal(rounded.to(copy.scalar_type()), copy));
      });
}

}  // namespace

Adapter::Adapter(Model& model, AdapterOptions options)
    : model_(model), options_(std::move(options)) {}

Adapter::~Adapter() {
  remove();
}

std::shared_ptr<SiteModule> Adapter::module_at(const Site& site) const {
  if (options_.peft_type == "LORA") return std::make_shared<Lora>(site, options_);
  if (options_.peft_type == "IA3") return std::make_shared<Ia3>(site, options_);
  if (options_.peft_type == "VERA") return std::make_shared<Vera>(site, options_, projections_);
  if (options_.peft_type == "BOTTLENECK") return std::make_shared<Bottleneck>(site, options_);
  fail("peft_type: expected LORA, IA3, VERA, BITFIT or BOTTLENECK, found {}", options_.peft_type);
}

void Adapter::attach() {
  options_.check();
  if (options_.peft_type == "VERA") projections_ = std::make_shared<VeraProjections>();
  for (const Site& site : target_sites(options_, model_)) {
    const std::shared_ptr<SiteModule> module = module_at(site);
    for (const NamedTensor& each : module->tensors())
      *each.tensor = each.tensor->to(model_.device());
    modules_.push_back(module);
  }
  for (const NamedTensor& weight : saved_weights(options_, model_, sites())) {
    saved_modules_.push_back(weight);
    base_modules_.push_back(*weight.tensor);
    // Trained, so plain and at least in float32, whatever the model is kept in.
    const Tensor numbers = weight.numbers();
    const at::ScalarType wide = at::promote_types(numbers.scalar_type(), at::kFloat);
    *weight.tensor = numbers.to(wide, /*non_blocking=*/false, /*copy=*/true);
  }
  for (const auto& module : modules_) module->site().slot->push_back(module);
}

void Adapter::remove() {
  for (const auto& module : modules_) std::erase(*module->site().slot, module);
  for (size_t i = 0; i < saved_modules_.size(); ++i) *saved_modules_[i].tensor = base_modules_[i];
  modules_.clear();
  saved_modules_.clear();
}

std::vector<Site> Adapter::sites() const {
  std::vector<Site> list;
  for (const auto& module : modules_) list.push_back(module->site());
  return list;
}

void Adapter::draw_shared() {
  int64_t in = 0, out = 0;
  for (const auto& module : modules_) {
    in = std::max(in, module->site().in);
    out = std::max(out, module->site().out);
  }
  *projections_ = draw_projections(options_, in, out);
  projections_->a = projections_->a.to(model_.device());
  projections_->b = projections_->b.to(model_.device());
}

std::unique_ptr<Adapter> Adapter::make(Model& model, const AdapterOptions& options, uint64_t seed) {
  const Context making("making an adapter");
  std::unique_ptr<Adapter> adapter = outline(model, options);
  require(
      !adapter->saves_tied_embedding() || can_say_tied(adapter->options_),
      "modules_to_save: embedding and output layer are one, and PEFT, which keeps them apart in "
      "files of {}, has no word for that: train it with LORA",
      adapter->options_.peft_type);
  const at::NoGradGuard no_grad;
  if (adapter->projections_) adapter->draw_shared();
  for (const auto& module : adapter->modules_) module->begin(seed);
  return adapter;
}

std::unique_ptr<Adapter> Adapter::outline(Model& model, const AdapterOptions& options) {
  std::unique_ptr<Adapter> adapter(new Adapter(model, with_defaults(options, model)));
  adapter->attach();
  return adapter;
}

std::unique_ptr<Adapter> Adapter::outline(Model& model, const fs::path& directory) {
  AdapterOptions options = read_adapter_config(directory);
  // With ensure_weight_tying PEFT writes what the embedding has once more for the output layer, but
  // names the embedding alone.
  if (model.ties_embeddings() &&
      has_adapter_tensor(directory, format("{}lm_head.lora_A.weight", prefix)))
    options.target_modules.emplace_back("lm_head");
  std::unique_ptr<Adapter> adapter(new Adapter(model, std::move(options)));
  adapter->attach();
  return adapter;
}

std::unique_ptr<Adapter> Adapter::load(Model& model, const fs::path& directory) {
  const Context loading("loading the adapter {}", directory.string());
  std::unique_ptr<Adapter> adapter = outline(model, directory);
  require(!adapter->saves_tied_embedding() ||
              read_adapter_facts(directory).ensure_weight_tying.value_or(
                  can_say_tied(adapter->options_)),
          "it has an embedding of its own beside an output layer that stays as it was, but in this "
          "model they are one: train it with ensure_weight_tying: true, or merge it with PEFT");
  if (adapter->projections_) adapter->draw_shared();
  std::vector<NamedTensor> optional = adapter->shared_tensors();
  // PEFT saves embedding and output layer themselves beside their adapters, often without need.
  std::vector<std::pair<Site, Tensor>> embeddings;
  for (const Site& site : adapter->sites())
    if (site.kind == SiteKind::embedding || site.kind == SiteKind::output)
      embeddings.emplace_back(site, ops::is_quantized(*site.weight)
                                        ? at::empty(site.weight->sizes(), at::kFloat)
                                        : *site.weight);
  for (auto& [site, copy] : embeddings)
    optional.push_back({tensor_prefix(adapter->options_, site) + ".base_layer.weight", &copy});
  read_adapter_tensors(directory, adapter->named_tensors(), optional);
  for (const auto& [site, copy] : embeddings)
    require(ops::is_quantized(*site.weight) ||  // whose numbers are others
                is_copy_of(copy, *site.weight),
            "{}: the adapter brings other weights than the model has: it is that of another base",
            site.name);
  for (const auto& module : adapter->modules_) module->loaded();
  return adapter;
}

std::vector<NamedTensor> Adapter::named_tensors() {
  std::vector<NamedTensor> list;
  for (const auto& module : modules_) {
    const std::string begin = tensor_prefix(options_, module->site());
    for (const NamedTensor& each : module->tensors())
      list.push_back({begin + each.name, each.tensor});
  }
  for (const NamedTensor& weight : saved_modules_)
    list.push_back({saved_name(weight), weight.tensor});
  return list;
}

std::string Adapter::saved_name(const NamedTensor& weight) const {
  // PEFT puts the layer itself below what it wraps it in.
  for (const auto& module : modules_)
    if (module->site().bias == weight.tensor)
      return prefix + module->site().name + ".base_layer.bias";
  return prefix + weight.name;
}

std::vector<NamedTensor> Adapter::shared_tensors() {
  if (!projections_) return {};
  return {{"base_model.vera_A", &projections_->a}, {"base_model.vera_B", &projections_->b}};
}

std::vector<double> Adapter::learning_rate_factors(double learning_rate) {
  std::vector<double> factors;
  for (const NamedTensor& weight : named_tensors()) {
    const bool second =
        weight.tensor->dim() == 1 || weight.name.find("lora_B") != std::string::npos;
    if (!options_.loraplus_lr_ratio)
      factors.push_back(1);
    else if (weight.name.find("lora_embedding") != std::string::npos)
      factors.push_back(options_.loraplus_lr_embedding / learning_rate);
    else
      factors.push_back(second ? *options_.loraplus_lr_ratio : 1);
  }
  return factors;
}

bool Adapter::saves_tied_embedding() const {
  return model_.ties_embeddings() &&
         std::ranges::any_of(saved_modules_, [&](const NamedTensor& weight) {
           return weight.tensor == &model_.output_weight();
         });
}

std::string Adapter::save(const fs::path& directory, const std::string& base) {
  const Context saving("saving the adapter to {}", directory.string());
  NamedTensors values;
  for (const auto& module : modules_)
    for (const auto& [name, value] : module->saved())
      values.emplace_back(tensor_prefix(options_, module->site()) + name, value);
  for (const NamedTensor& weight : saved_modules_)
    values.emplace_back(saved_name(weight), weight.tensor->detach());
  for (const NamedTensor& each : shared_tensors()) values.emplace_back(each.name, *each.tensor);
  const ModelConfig& config = model_.config();
  const AdapterFacts facts{.base = base,
                           .model_type = config.model_type,
                           .architecture = family_of(config.model_type).architecture,
                           .hidden_size = config.hidden_size,
                           .layers = config.num_hidden_layers,
                           .labels = config.labels,
                           .problem_type = config.problem_type,
                           .ensure_weight_tying = saves_tied_embedding()};
  AdapterOptions options = options_.as_saved();
  options.modules_to_save = plain_names(options.modules_to_save, saved_modules_);
  return write_adapter(directory, options, sites(), values, facts);
}

void Adapter::merge() {
  const Context merging("merging the adapter");
  const at::NoGradGuard no_grad;
  for (const auto& module : modules_) {
    module->require_mergeable();
    require(module->site().weight == nullptr || !ops::is_quantized(*module->site().weight),
            "{}: its weight is quantised, which would change what is added: open the model without "
            "load_in_4bit and keep_quantized",
            module->site().name);
    require(!model_.ties_embeddings() || module->site().weight != &model_.output_weight(),
            "{}: embedding and output layer are one, of which the adapter changes the one alone: "
            "use it with --adapter",
            module->site().name);
  }
  for (const auto& module : modules_) module->merge();
  saved_modules_.clear();  // these stay
  remove();
}

void Adapter::set_strength(double strength) {
  require(std::isfinite(strength), "an adapter's strength: expected a number, found {}", strength);
  for (const auto& module : modules_) module->strength = strength;
}

}  // namespace lathe
