#include "lathe/model/layers.h"

#include "lathe/ops/embedding.h"
#include "lathe/ops/layer_norm.h"
#include "lathe/ops/linear.h"
#include "lathe/ops/rms_norm.h"
#include "lathe/ops/swiglu.h"

namespace lathe {

Tensor described(at::IntArrayRef shape) {
  return at::empty(shape, at::TensorOptions().device(at::kMeta).dtype(at::kFloat));
}

Linear::Linear(int64_t in, int64_t out, bool with_bias)
    : weight(described({out, in})), bias(with_bias ? described({out}) : Tensor()) {}

Tensor Linear::operator()(const Tensor& x) const {
  return adapted(slot, x, [this](const Tensor& h) { return ops::linear(h, weight, bias); });
}

Site Linear::site(const std::string& name) {
  return {name, SiteKind::linear, weight.size(1), weight.size(0), &slot, &weight, false, &bias};
}

Embedding::Embedding(int64_t count, int64_t width) : weight(described({count, width})) {}

Tensor Embedding::operator()(const Tensor& ids, at::ScalarType dtype) const {
  return adapted(slot, ids,
                 [&](const Tensor& rows) { return ops::embedding(rows, weight, dtype); });
}

Site Embedding::site(const std::string& name) {
  return {name, SiteKind::embedding, weight.size(0), weight.size(1), &slot, &weight, true};
}

RmsNorm::RmsNorm(int64_t width, const ModelConfig& c)
    : weight(described({width})), eps(c.rms_norm_eps), offset(c.norm_offset) {}

Tensor RmsNorm::operator()(const Tensor& x) const {
  return ops::rms_norm(x, weight, eps, offset);
}

LayerNorm::LayerNorm(int64_t width, const ModelConfig& c)
    : weight(described({width})), bias(described({width})), eps(c.layer_norm_eps) {}

Tensor LayerNorm::operator()(const Tensor& x) const {
  return ops::layer_norm(x, weight, bias, eps);
}

Mlp::Mlp(const ModelConfig& c, int64_t width)
    : down_proj(width, c.hidden_size, c.mlp_bias), activation(ops::activation_named(c.hidden_act)) {
  if (c.fused_projections) {
    gate_up_proj.emplace(c.hidden_size, 2 * width, c.mlp_bias);
  } else {
    gate_proj.emplace(c.hidden_size, width, c.mlp_bias);
    up_proj.emplace(c.hidden_size, width, c.mlp_bias);
  }
}

Tensor Mlp::operator()(const Tensor& x) const {
  Tensor gate, up;
  if (gate_up_proj) {
    const std::vector<Tensor> halves = (*gate_up_proj)(x).chunk(2, -1);
    gate = halves[0];
    up = halves[1];
  } else {
    gate = (*gate_proj)(x);
    up = (*up_proj)(x);
  }
  if (activation != ops::Activation::silu) return down_proj(ops::activate(gate, activation) * up);
  return down_proj(ops::swiglu(gate, up));
}

Kept Mlp::kept() const {
  // Both halves, and unless one operation does it all, the gate's activation and the product.
  const int64_t halves = activation == ops::Activation::silu ? 2 : 4;
  return {down_proj.weight.size(0) + halves * down_proj.weight.size(1)};
}

}  // namespace lathe
