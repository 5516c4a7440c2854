#include "lathe/adapt/bottleneck.h"

namespace lathe {
namespace {

/// AdapterHub's names of activations are partly its own.
ops::Activation activation_of(const std::string& name) {
  return ops::activation_named(name == "swish" ? "silu" : name);
}

}  // namespace

Bottleneck::Bottleneck(const Site& site, const AdapterOptions& o)
    : SiteModule(site, o.dropout),
      activation_(activation_of(*o.non_linearity)),
      parallel_(*o.is_parallel),
      behind_addition_(*o.original_ln_before && !*o.is_parallel &&
                       (site.kind == SiteKind::attention || site.kind == SiteKind::mlp)),
      init_weights_(*o.init_weights) {
  require(!parallel_ || site.kind != SiteKind::embedding,
          "{}: is_parallel: nothing can sit beside an embedding, which reads no vectors",
          site.name);
  const int64_t reads = parallel_ ? site.in : site.out;
  const int64_t width = o.width_at(site.name, reads);
  down_ = empty({width, reads});
  down_bias_ = empty({width});
  up_ = empty({site.out, width});
  up_bias_ = empty({site.out});
  if (*o.scaling == "learned")
    learned_scaling_ = empty({1});
  else
    scaling_ = std::stod(*o.scaling);
}

std::string Bottleneck::kind() const {
  return format("bottleneck {} {} {}", static_cast<int>(activation_), parallel_, behind_addition_);
}

std::string Bottleneck::describe() const {
  return format("bottleneck, {} > {} > {}", down_.size(1), down_.size(0), up_.size(0));
}

std::vector<Tensor> Bottleneck::numbers() const {
  const double by = scaling_ * strength;
  const auto scaled = [&](const Tensor& w) {
    if (learned_scaling_.defined()) return w * (learned_scaling_ * strength);
    return by == 1 ? w : w * by;
  };
  return {down_, down_bias_, scaled(up_), scaled(up_bias_)};
}

Tensor Bottleneck::compute(std::span<const Tensor> n, const Tensor& x, const Base& base) const {
  const Tensor y = base(x);
  const Tensor z = parallel_ ? x : behind_addition_ ? x + y : y;
  const Tensor narrow = ops::activate(project(z, n[0], n[1]), activation_);
  return y + dropped(project(narrow, n[2], n[3]));
}

std::vector<NamedTensor> Bottleneck::tensors() {
  std::vector<NamedTensor> list = {{".adapter_down.0.weight", &down_},
                                   {".adapter_down.0.bias", &down_bias_},
                                   {".adapter_up.weight", &up_},
                                   {".adapter_up.bias", &up_bias_}};
  if (learned_scaling_.defined()) list.push_back({".scaling", &learned_scaling_});
  return list;
}

void Bottleneck::begin(uint64_t seed) {
  const std::string stream = "adapter_down " + site_.name;
  const double root = std::sqrt(static_cast<double>(down_.size(1)));
  if (init_weights_ == "bert")
    down_.copy_(normal(down_.sizes(), 0.02, seed, stream));
  else  // mam_adapter, as torch.nn.init.kaiming_uniform_ with a = sqrt(5)
    down_.copy_(uniform(down_.sizes(), 1 / root, seed, stream));
  down_bias_.zero_();
  up_.zero_();
  up_bias_.zero_();
  if (learned_scaling_.defined()) learned_scaling_.fill_(1);
}

void Bottleneck::require_mergeable() const {
  fail(
      "{}: a bottleneck adapter is not linear, so it cannot become part of a layer's weights: use "
      "it with --adapter",
      site_.name);
}

}  // namespace lathe
