#include "lathe/adapt/ia3.h"

#include "lathe/adapt/targets.h"

namespace lathe {

Ia3::Ia3(const Site& site, const AdapterOptions& options)
    : SiteModule(site), scales_input_(matches_any(options.feedforward_modules, site.name)) {
  l_ = scales_input_ ? empty({1, site.in}) : empty({site.out, 1});
}

Tensor Ia3::compute(std::span<const Tensor> factors, const Tensor& x, const Base& base) const {
  if (scales_input_) return base(x * factors[0].to(x.scalar_type()));
  const Tensor y = base(x);
  return y * factors[0].to(y.scalar_type());
}

void Ia3::begin(uint64_t /*seed*/) {
  l_.fill_(1);
}

void Ia3::merge() const {
  const at::NoGradGuard no_grad;
  const Tensor change = numbers()[0] - 1, weight = site_.matrix().to(at::kFloat);
  if (scales_input_) return add_to_layer(weight * change, {});
  add_to_layer(weight * change.unsqueeze(1),
               site_.has_bias() ? site_.bias->detach().to(at::kFloat) * change : Tensor());
}

}  // namespace lathe
