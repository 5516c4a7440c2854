#include "lathe/ops/layer_norm.h"

#include "lathe/ops/cpu/for_dtype.h"

namespace lathe::ops {

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  const at::ScalarType wide = cpu::accumulate_dtype(x.scalar_type());
  // libtorch's CPU kernel reads narrow activations beside wide weights; that of other devices not.
  const Tensor in = x.is_cpu() ? x : x.to(wide);
  const auto shift = bias.defined() ? std::optional<Tensor>(bias.to(wide)) : std::nullopt;
  return at::layer_norm(in, {x.size(-1)}, weight.to(wide), shift, eps).to(x.scalar_type());
}

}  // namespace lathe::ops
