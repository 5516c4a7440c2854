#include "lathe/adapt/lora.h"

#include "lathe/ops/linear.h"

namespace lathe {

Tensor Lora::row_factors() const {
  const Tensor norms = [&] {
    const at::NoGradGuard no_grad;
    return (site_.matrix().to(at::kFloat) + scale * at::mm(b, a)).norm(2, 1);
  }();
  return magnitude / norms;
}

Tensor Lora::operator()(const Tensor& x, const Base& base) const {
  const Tensor y = base(x);
  const Tensor added = ops::linear(ops::linear(x, a), b) * scale;
  if (!magnitude.defined()) return y + added;
  const Tensor factors = row_factors();  // near 1: the difference is taken before it is rounded
  const Tensor without_bias = site_.bias->defined() ? y - site_.bias->to(y.scalar_type()) : y;
  return y + (factors - 1).to(y.scalar_type()) * without_bias + factors.to(y.scalar_type()) * added;
}

Tensor Lora::weight_change() const {
  const at::NoGradGuard no_grad;
  const Tensor change = scale * at::mm(b, a);
  if (!magnitude.defined()) return site_.transposed ? change.t() : change;
  const Tensor base = site_.matrix().to(at::kFloat);
  const Tensor scaled = row_factors().unsqueeze(1) * (base + change) - base;
  return site_.transposed ? scaled.t() : scaled;
}

}  // namespace lathe
