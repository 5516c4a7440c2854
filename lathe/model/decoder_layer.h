#pragma once

#include "lathe/model/attention.h"
#include "lathe/model/moe.h"

namespace lathe {

/// A block of attention and one of MLP, each added to what it reads, with norms before or behind
/// them (see NormPlacement).
struct DecoderLayer {
  Attention self_attn;
  std::optional<Mlp> mlp;  // or
  std::optional<SparseMoe> moe;
  bool block_sparse_moe;  // the name of `moe` in Mixtral; mlp elsewhere
  std::optional<RmsNorm> before_attention, behind_attention, before_mlp, behind_mlp;
  BlockSlots slots;

  DecoderLayer(const ModelConfig& config, int64_t layer);
  LayerOutput operator()(const Tensor& x, const LayerInput& in, int64_t layer) const;
  Kept kept() const;
  void visit(auto&& v) {
    v("self_attn", self_attn);
    v("mlp", mlp);
    v(block_sparse_moe ? "block_sparse_moe" : "mlp", moe);
    v("input_layernorm", before_attention);
    // Llama calls the norm before its MLP what later families call the one behind attention.
    v("post_attention_layernorm", behind_attention ? behind_attention : before_mlp);
    if (!behind_attention) return;
    v("pre_feedforward_layernorm", before_mlp);
    v("post_feedforward_layernorm", behind_mlp);
  }
};

}  // namespace lathe
