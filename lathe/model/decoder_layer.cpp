#include "lathe/model/decoder_layer.h"

namespace lathe {
namespace {

Tensor normed(const std::optional<RmsNorm>& norm, const Tensor& x) {
  return norm ? (*norm)(x) : x;
}

}  // namespace

DecoderLayer::DecoderLayer(const ModelConfig& c, int64_t layer)
    : self_attn(c, layer), block_sparse_moe(c.block_sparse_moe) {
  if (c.has_experts(layer))
    moe.emplace(c);
  else
    mlp.emplace(c, c.intermediate_size);
  if (c.norm_placement != NormPlacement::behind) {
    before_attention.emplace(c.hidden_size, c);
    before_mlp.emplace(c.hidden_size, c);
  }
  if (c.norm_placement != NormPlacement::before) {
    behind_attention.emplace(c.hidden_size, c);
    behind_mlp.emplace(c.hidden_size, c);
  }
}

LayerOutput DecoderLayer::operator()(const Tensor& x, const LayerInput& in, int64_t layer) const {
  const Tensor h = x + normed(behind_attention, self_attn(normed(before_attention, x), in, layer));
  const Tensor y = normed(before_mlp, h);
  const Tensor logits = moe ? moe->router_logits(y) : Tensor();
  return {h + normed(behind_mlp, moe ? (*moe)(y, logits) : (*mlp)(y)), logits};
}

Kept DecoderLayer::kept() const {
  Kept all = self_attn.kept() + (moe ? moe->kept() : mlp->kept());
  for (const auto* norm : {&before_attention, &behind_attention, &before_mlp, &behind_mlp})
    if (*norm) all = all + (*norm)->kept();
  return all;
}

}  // namespace lathe
