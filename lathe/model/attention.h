// Letters: D hidden size, H query heads, K key and value heads, E elements a head.
#pragma once

#include "lathe/model/layer_stack.h"
#include "lathe/model/layers.h"

namespace lathe {

/// Grouped-query attention (Ainslie et al. 2023, arXiv:2305.13245).
struct Attention {
  std::optional<Linear> q_proj, k_proj, v_proj;  // (H*E, D) (K*E, D) (K*E, D), or
  std::optional<Linear> qkv_proj;                // ((H+2K)*E, D)
  Linear o_proj;                                 // (D, H*E)
  std::optional<RmsNorm> q_norm, k_norm;         // of each head (E), or of all at once (H*E) (K*E)
  int64_t heads, key_value_heads, head_dim;
  bool local, rotated;
  ops::Scoring scoring;

  Attention(const ModelConfig& config, int64_t layer);
  Tensor operator()(const Tensor& x, const LayerInput& in, int64_t layer) const;
  Kept kept() const;
  void visit(auto&& v) {
    v("q_proj", q_proj);
    v("k_proj", k_proj);
    v("v_proj", v_proj);
    v("qkv_proj", qkv_proj);
    v("o_proj", o_proj);
    v("q_norm", q_norm);
    v("k_norm", k_norm);
  }
};

}  // namespace lathe
