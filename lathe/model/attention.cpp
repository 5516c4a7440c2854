#include "lathe/model/attention.h"

#include "lathe/ops/rope.h"

namespace lathe {
namespace {

/// x (B, T, heads*E) as (B, T, heads, E), normalised in pieces of the norm's width.
Tensor normalised(const Tensor& x, const std::optional<RmsNorm>& norm, int64_t heads) {
  const auto pieces = [&](const Tensor& t, int64_t count) {
    return t.reshape({t.size(0), t.size(1), count, -1});
  };
  if (!norm) return pieces(x, heads);
  const Tensor y = (*norm)(pieces(x, x.size(2) / norm->width()));
  return y.view({x.size(0), x.size(1), heads, -1});
}

}  // namespace

Attention::Attention(const ModelConfig& c, int64_t layer)
    : o_proj(c.num_attention_heads * c.head_size(), c.hidden_size, c.attention_bias),
      heads(c.num_attention_heads),
      key_value_heads(c.key_value_heads()),
      head_dim(c.head_size()),
      local(c.is_local(layer)),
      rotated(c.no_rope_layers.empty() || c.no_rope_layers.at(static_cast<size_t>(layer)) != 0),
      scoring{1 / std::sqrt(static_cast<double>(c.query_pre_attn_scalar.value_or(head_dim))),
              c.attn_logit_softcapping.value_or(0)} {
  const bool bias = c.attention_bias || c.qkv_bias;
  const int64_t queries = heads * head_dim;
  const int64_t keys = key_value_heads * head_dim;
  if (c.fused_projections) {
    qkv_proj.emplace(c.hidden_size, queries + 2 * keys, bias);
  } else {
    q_proj.emplace(c.hidden_size, queries, bias);
    k_proj.emplace(c.hidden_size, keys, bias);
    v_proj.emplace(c.hidden_size, keys, bias);
  }
  if (c.query_key_norm == QueryKeyNorm::none) return;
  const bool each = c.query_key_norm == QueryKeyNorm::head;
  q_norm.emplace(each ? head_dim : queries, c);
  k_norm.emplace(each ? head_dim : keys, c);
}

Tensor Attention::operator()(const Tensor& x, const LayerInput& in, int64_t layer) const {
  const LayerInput::Sight& sight = local ? in.local : in.global;
  Tensor q, k, v;
  if (qkv_proj) {
    const int64_t keys = key_value_heads * head_dim;
    const std::vector<Tensor> parts = (*qkv_proj)(x).split({heads * head_dim, keys, keys}, -1);
    q = parts[0], k = parts[1], v = parts[2];
  } else {
    q = (*q_proj)(x), k = (*k_proj)(x), v = (*v_proj)(x);
  }
  q = normalised(q, q_norm, heads);                  // (B, T, H, E)
  k = normalised(k, k_norm, key_value_heads);        // (B, T, K, E)
  v = normalised(v, std::nullopt, key_value_heads);  // (B, T, K, E)
  if (rotated) {
    q = ops::rope(q, sight.angles.cos, sight.angles.sin);
    k = ops::rope(k, sight.angles.cos, sight.angles.sin);
  }
  return o_proj(attend(q, k, v, sight, in.cache, layer, scoring));
}

Kept Attention::kept() const {
  const Kept mixed = kept_by_attention(heads, key_value_heads, head_dim);
  const int64_t normed = q_norm ? (heads + key_value_heads) * head_dim : 0;
  return mixed + Kept{o_proj.weight.size(0) + normed};
}

}  // namespace lathe
