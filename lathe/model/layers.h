// The layers that models are made of. Letters: B rows, T positions, D hidden size, F intermediate
// size, H query heads, K key and value heads, E elements a head.
#pragma once

#include "lathe/base/tensor.h"
#include "lathe/model/config.h"
#include "lathe/model/kv_cache.h"
#include "lathe/model/rotary.h"

namespace lathe {

struct Linear {
  Tensor weight;  // (out, in)
  Tensor bias;    // (out), or undefined

  Linear(int64_t in, int64_t out, bool with_bias);
  Tensor operator()(const Tensor& x) const;  // (..., in) -> (..., out)
  void visit(auto&& v) {
    v("weight", weight);
    v("bias", bias);
  }
};

struct Embedding {
  Tensor weight;  // (V, D)

  Embedding(int64_t count, int64_t width);
  Tensor operator()(const Tensor& ids, at::ScalarType dtype) const;  // (B, T) -> (B, T, D)
  void visit(auto&& v) { v("weight", weight); }
};

struct RmsNorm {
  Tensor weight;  // (D)
  double eps;

  RmsNorm(int64_t width, double eps);
  Tensor operator()(const Tensor& x) const;  // (..., D) -> (..., D)
  void visit(auto&& v) { v("weight", weight); }
};

/// What the layers of one forward pass share.
struct LayerInput {
  RotaryAngles angles;       // (B, T, E/2)
  Tensor first;              // (B, T) int64: the first key each query sees; undefined with a cache
  KvCache* cache = nullptr;  // grows by T positions when the last layer is done
};

/// Grouped-query attention (Ainslie et al. 2023, arXiv:2305.13245).
struct Attention {
  Linear q_proj, k_proj, v_proj, o_proj;  // (H*E, D) (K*E, D) (K*E, D) (D, H*E)
  int64_t heads, key_value_heads, head_dim;

  explicit Attention(const ModelConfig& config);
  Tensor operator()(const Tensor& x, const LayerInput& in, int64_t layer) const;
  void visit(auto&& v) {
    v("q_proj", q_proj);
    v("k_proj", k_proj);
    v("v_proj", v_proj);
    v("o_proj", o_proj);
  }
};

/// The gated MLP (Shazeer 2020, arXiv:2002.05202).
struct Mlp {
  Linear gate_proj, up_proj, down_proj;  // (F, D) (F, D) (D, F)

  explicit Mlp(const ModelConfig& config);
  Tensor operator()(const Tensor& x) const;  // (B, T, D) -> (B, T, D)
  void visit(auto&& v) {
    v("gate_proj", gate_proj);
    v("up_proj", up_proj);
    v("down_proj", down_proj);
  }
};

struct DecoderLayer {
  Attention self_attn;
  Mlp mlp;
  RmsNorm input_layernorm, post_attention_layernorm;

  explicit DecoderLayer(const ModelConfig& config);
  Tensor operator()(const Tensor& x, const LayerInput& in, int64_t layer) const;
  void visit(auto&& v) {
    v("self_attn", self_attn);
    v("mlp", mlp);
    v("input_layernorm", input_layernorm);
    v("post_attention_layernorm", post_attention_layernorm);
  }
};

}  // namespace lathe
