#include "lathe/adapt/site_module.h"

#include "lathe/base/random.h"
#include "lathe/ops/linear.h"

namespace lathe {

std::vector<std::pair<std::string, Tensor>> SiteModule::saved() {
  std::vector<std::pair<std::string, Tensor>> list;
  for (const NamedTensor& each : tensors()) list.emplace_back(each.name, each.tensor->detach());
  return list;
}

Tensor SiteModule::dropped(const Tensor& x) const {
  const std::optional<uint64_t> seed = AdapterInputAtWork::now().dropout_seed;
  if (dropout_ == 0 || !seed) return x;
  at::Generator generator = at::detail::createCPUGenerator(stream_seed(*seed, site_.name));
  const Tensor kept = at::empty(x.sizes(), at::kFloat).bernoulli_(1 - dropout_, generator);
  return x * (kept / (1 - dropout_)).to(x.options());
}

void SiteModule::add_to_layer(const Tensor& weight, const Tensor& bias) const {
  const auto add = [](Tensor& to, const Tensor& change) {
    to = (to.detach().to(at::kFloat) + change).to(to.scalar_type());
  };
  if (weight.defined()) add(*site_.weight, site_.transposed ? weight.t() : weight);
  if (bias.defined()) add(*site_.bias, bias);
}

Tensor project(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (weight.dim() == 2) return ops::linear(x, weight, bias);
  require(x.dim() == 3 && x.size(0) == weight.size(0),
          "expected a batch of {} rows at a layer with an adapter for each, found {}",
          weight.size(0), x.sizes());
  const Tensor y = at::bmm(x, weight.to(x.scalar_type()).transpose(1, 2));
  return bias.defined() ? y + bias.to(x.scalar_type()) : y;
}

Tensor uniform(at::IntArrayRef shape, double limit, uint64_t seed, const std::string& name) {
  at::Generator generator = at::detail::createCPUGenerator(stream_seed(seed, name));
  return at::empty(shape, at::kFloat).uniform_(-limit, limit, generator);
}

Tensor normal(at::IntArrayRef shape, double deviation, uint64_t seed, const std::string& name) {
  at::Generator generator = at::detail::createCPUGenerator(stream_seed(seed, name));
  return at::empty(shape, at::kFloat).normal_(0, deviation, generator);
}

}  // namespace lathe
