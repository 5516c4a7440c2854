#include "lathe/adapt/adapter.h"

#include <algorithm>
#include <set>

#include "lathe/adapt/peft_files.h"
#include "lathe/base/random.h"

namespace lathe {
namespace {

constexpr std::string_view prefix = "base_model.model.";

/// Whether `pattern` is the name, or its end behind a dot.
bool names(const std::string& pattern, std::string_view name) {
  if (!name.ends_with(pattern)) return false;
  return name.size() == pattern.size() || name[name.size() - pattern.size() - 1] == '.';
}

bool any_names(const std::vector<std::string>& patterns, const std::string& name) {
  return std::ranges::any_of(patterns, [&](const auto& pattern) { return names(pattern, name); });
}

template <class T>
T value_for(const std::map<std::string, T>& patterns, const std::string& name, T otherwise) {
  for (const auto& [pattern, value] : patterns)
    if (names(pattern, name)) return value;
  return otherwise;
}

bool is_target(const AdapterOptions& options, const std::string& name) {
  if (any_names(options.exclude_modules, name)) return false;
  const auto& layers = options.layers_to_transform;
  if (!layers.empty() && std::ranges::find(layers, layer_of(name + ".")) == layers.end())
    return false;
  return std::ranges::find(options.target_modules, "all-linear") != options.target_modules.end() ||
         any_names(options.target_modules, name);
}

/// The last parts of the sites' names: "down_proj, gate_proj, ...".
std::string kinds_of(const std::vector<Site>& sites) {
  std::set<std::string> ends;
  for (const Site& site : sites) ends.insert(site.name.substr(site.name.rfind('.') + 1));
  return format("{}", fmt::join(ends, ", "));
}

/// Whether a weight belongs to a module whose name ends so.
bool is_part_of(const std::string& weight, const std::string& pattern) {
  for (size_t dot = weight.find('.'); dot != weight.npos; dot = weight.find('.', dot + 1))
    if (names(pattern, std::string_view(weight).substr(0, dot))) return true;
  return false;
}

/// Throws Error if an entry of `target_modules` names none of the sites.
void require_matches(const AdapterOptions& options, const std::vector<Site>& sites) {
  for (const std::string& target : options.target_modules) {
    if (target == "all-linear") continue;
    const bool any =
        std::ranges::any_of(sites, [&](const Site& site) { return names(target, site.name); });
    require(any, "target_modules: {} names no linear layer; there are {}", target, kinds_of(sites));
  }
}

}  // namespace

Adapter::Adapter(Model& model, AdapterOptions options)
    : model_(model), options_(std::move(options)) {}

void Adapter::attach() {
  options_.check();
  for (const Site& site : model_.sites())
    if (is_target(options_, site.name)) place(site);
  require(!sites_.empty(),
          "target_modules, exclude_modules and layers_to_transform leave no layer; there are {}",
          kinds_of(model_.sites()));
  std::set<std::string> unmatched(options_.modules_to_save.begin(), options_.modules_to_save.end());
  for (const NamedTensor& weight : model_.named_tensors()) {
    // The output layer of a classifier is new, so it is trained in any case.
    bool saved = weight.name == "score.weight";
    for (const std::string& pattern : options_.modules_to_save) {
      if (!is_part_of(weight.name, pattern)) continue;
      saved = true;
      unmatched.erase(pattern);
    }
    if (!saved) continue;
    saved_modules_.push_back(weight);
    base_modules_.push_back(*weight.tensor);
    *weight.tensor = weight.tensor->detach().clone();
  }
  for (const char* of_peft : {"score", "classifier"}) unmatched.erase(of_peft);
  require(unmatched.empty(), "modules_to_save: {} names no module with weights of its own",
          fmt::join(unmatched, ", "));
}

Adapter::~Adapter() {
  remove();
}

void Adapter::remove() {
  for (const Site& site : sites_) site.slot->reset();
  for (size_t i = 0; i < saved_modules_.size(); ++i) *saved_modules_[i].tensor = base_modules_[i];
  sites_.clear();
  loras_.clear();
  saved_modules_.clear();
}

void Adapter::place(const Site& site) {
  require(*site.slot == nullptr, "{}: an adapter sits there already", site.name);
  const int64_t r = value_for(options_.rank_pattern, site.name, options_.r);
  const double alpha = value_for(options_.alpha_pattern, site.name, options_.lora_alpha);
  require(r <= std::max(site.in(), site.out()),
          "r: {} is larger than the layer {}, which has {} inputs and {} outputs", r, site.name,
          site.in(), site.out());
  auto lora = std::make_shared<Lora>(site);
  const at::TensorOptions like = site.weight->options().dtype(at::kFloat).requires_grad(false);
  lora->a = at::empty({r, site.in()}, like);
  lora->b = at::empty({site.out(), r}, like);
  if (options_.use_dora) lora->magnitude = at::empty({site.out()}, like);
  lora->scale = options_.use_rslora ? alpha / std::sqrt(static_cast<double>(r))
                                    : alpha / static_cast<double>(r);
  *site.slot = lora;
  sites_.push_back(site);
  loras_.push_back(std::move(lora));
}

std::unique_ptr<Adapter> Adapter::make(Model& model, const AdapterOptions& options, uint64_t seed) {
  const Context making("making an adapter");
  require_matches(options, model.sites());
  std::unique_ptr<Adapter> adapter(new Adapter(model, options));
  adapter->attach();
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < adapter->sites_.size(); ++i) {
    const Site& site = adapter->sites_[i];
    Lora& lora = *adapter->loras_[i];
    // As PEFT begins, torch.nn.init.kaiming_uniform_ with a = sqrt(5).
    const double limit = 1 / std::sqrt(static_cast<double>(site.in()));
    at::Generator generator =
        at::detail::createCPUGenerator(stream_seed(seed, "lora_A " + site.name));
    Tensor a = at::empty(lora.a.sizes(), at::kFloat);
    lora.a.copy_(a.uniform_(-limit, limit, generator));
    lora.b.zero_();
    if (lora.magnitude.defined()) lora.magnitude.copy_(site.matrix().to(at::kFloat).norm(2, 1));
  }
  return adapter;
}

std::unique_ptr<Adapter> Adapter::load(Model& model, const fs::path& directory) {
  const Context loading("loading the adapter {}", directory.string());
  std::unique_ptr<Adapter> adapter(new Adapter(model, read_adapter_config(directory)));
  adapter->attach();
  read_adapter_tensors(directory, adapter->named_tensors());
  return adapter;
}

std::vector<NamedTensor> Adapter::named_tensors() {
  std::vector<NamedTensor> list;
  for (size_t i = 0; i < sites_.size(); ++i) {
    const std::string name = std::string(prefix) + sites_[i].name;
    list.push_back({name + ".lora_A.weight", &loras_[i]->a});
    list.push_back({name + ".lora_B.weight", &loras_[i]->b});
    if (loras_[i]->magnitude.defined())
      list.push_back({name + ".lora_magnitude_vector", &loras_[i]->magnitude});
  }
  for (const NamedTensor& weight : saved_modules_)
    list.push_back({std::string(prefix) + weight.name, weight.tensor});
  return list;
}

void Adapter::save(const fs::path& directory, const std::string& base) {
  const Context saving("saving the adapter to {}", directory.string());
  write_adapter(directory, options_, named_tensors(),
                {.base = base,
                 .fan_in_fan_out = sites_.front().transposed,
                 .labels = model_.config().labels,
                 .problem_type = model_.config().problem_type});
}

void Adapter::merge() {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < sites_.size(); ++i) {
    Tensor& weight = *sites_[i].weight;
    weight = (weight.to(at::kFloat) + loras_[i]->weight_change()).to(weight.scalar_type());
  }
  saved_modules_.clear();  // these stay
  remove();
}

}  // namespace lathe
