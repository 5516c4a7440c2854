#include "lathe/model/layers.h"

#include "lathe/ops/attention.h"
#include "lathe/ops/embedding.h"
#include "lathe/ops/linear.h"
#include "lathe/ops/rms_norm.h"
#include "lathe/ops/rope.h"
#include "lathe/ops/swiglu.h"

namespace lathe {
namespace {

/// A weight without memory: models are described first, then filled.
Tensor described(at::IntArrayRef shape) {
  return at::empty(shape, at::TensorOptions().device(at::kMeta).dtype(at::kFloat));
}

/// Writes the new positions (B, T, K, E) behind those that the cache holds.
void append(Tensor& cache, const Tensor& x, const std::vector<int64_t>& lengths) {
  for (int64_t row = 0; row < x.size(0); ++row)
    cache[row]
        .narrow(1, lengths[static_cast<size_t>(row)], x.size(1))
        .copy_(x[row].transpose(0, 1));
}

}  // namespace

Linear::Linear(int64_t in, int64_t out, bool with_bias)
    : weight(described({out, in})), bias(with_bias ? described({out}) : Tensor()) {}

Tensor Linear::operator()(const Tensor& x) const {
  return ops::linear(x, weight, bias);
}

Embedding::Embedding(int64_t count, int64_t width) : weight(described({count, width})) {}

Tensor Embedding::operator()(const Tensor& ids, at::ScalarType dtype) const {
  return ops::embedding(ids, weight, dtype);
}

RmsNorm::RmsNorm(int64_t width, double eps) : weight(described({width})), eps(eps) {}

Tensor RmsNorm::operator()(const Tensor& x) const {
  return ops::rms_norm(x, weight, eps);
}

Attention::Attention(const ModelConfig& c)
    : q_proj(c.hidden_size, c.num_attention_heads * c.head_size(), c.attention_bias),
      k_proj(c.hidden_size, c.key_value_heads() * c.head_size(), c.attention_bias),
      v_proj(c.hidden_size, c.key_value_heads() * c.head_size(), c.attention_bias),
      o_proj(c.num_attention_heads * c.head_size(), c.hidden_size, c.attention_bias),
      heads(c.num_attention_heads),
      key_value_heads(c.key_value_heads()),
      head_dim(c.head_size()) {}

Tensor Attention::operator()(const Tensor& x, const LayerInput& in, int64_t layer) const {
  const int64_t rows = x.size(0);
  const int64_t positions = x.size(1);
  const double scale = 1 / std::sqrt(static_cast<double>(head_dim));
  const Tensor q = ops::rope(q_proj(x).view({rows, positions, heads, head_dim}), in.angles.cos,
                             in.angles.sin);  // (B, T, H, E)
  const Tensor k = ops::rope(k_proj(x).view({rows, positions, key_value_heads, head_dim}),
                             in.angles.cos, in.angles.sin);                       // (B, T, K, E)
  const Tensor v = v_proj(x).view({rows, positions, key_value_heads, head_dim});  // (B, T, K, E)
  if (in.cache != nullptr) {
    KvCache::Layer& cached = in.cache->layers[static_cast<size_t>(layer)];
    append(cached.k, k, in.cache->lengths);
    append(cached.v, v, in.cache->lengths);
  }
  const Tensor mixed =
      in.first.defined() ? ops::attention(q, k, v, in.first, scale)
                         : ops::cached_attention(q, in.cache->layers[static_cast<size_t>(layer)].k,
                                                 in.cache->layers[static_cast<size_t>(layer)].v,
                                                 in.cache->lengths, scale);
  return o_proj(mixed.reshape({rows, positions, heads * head_dim}));
}

Mlp::Mlp(const ModelConfig& c)
    : gate_proj(c.hidden_size, c.intermediate_size, c.mlp_bias),
      up_proj(c.hidden_size, c.intermediate_size, c.mlp_bias),
      down_proj(c.intermediate_size, c.hidden_size, c.mlp_bias) {}

Tensor Mlp::operator()(const Tensor& x) const {
  return ops::swiglu_linear(gate_proj(x), up_proj(x), down_proj.weight, down_proj.bias);
}

DecoderLayer::DecoderLayer(const ModelConfig& c)
    : self_attn(c),
      mlp(c),
      input_layernorm(c.hidden_size, c.rms_norm_eps),
      post_attention_layernorm(c.hidden_size, c.rms_norm_eps) {}

Tensor DecoderLayer::operator()(const Tensor& x, const LayerInput& in, int64_t layer) const {
  const Tensor h = x + self_attn(input_layernorm(x), in, layer);
  return h + mlp(post_attention_layernorm(h));
}

}  // namespace lathe
