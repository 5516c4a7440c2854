#include "lathe/model/decoder_layer.h"

namespace lathe {
namespace {

Tensor normed(const std::optional<RmsNorm>& norm, const Tensor& x) {
  return norm ? (*norm)(x) : x;
}

const char* mlp_name(const ModelConfig& config) {
  return config.block_sparse_moe ? "block_sparse_moe" : "mlp";
}

}  // namespace

DecoderLayer::DecoderLayer(const ModelConfig& c, int64_t layer)
    : self_attn(c, layer),
      block_sparse_moe(c.block_sparse_moe),
      slots{.attention_name = "self_attn", .mlp_name = mlp_name(c)} {
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
  Tensor router_logits;
  const auto attend = [&](const Tensor& h) {
    return normed(behind_attention, self_attn(normed(before_attention, h), in, layer));
  };
  const auto feed = [&](const Tensor& h) {
    const Tensor y = normed(before_mlp, h);
    if (moe) router_logits = moe->router_logits(y);
    return normed(behind_mlp, moe ? (*moe)(y, router_logits) : (*mlp)(y));
  };
  const auto block = [&](const Tensor& h) {
    const Tensor attended = h + adapted(slots.attention, h, attend);
    return attended + adapted(slots.mlp, attended, feed);
  };
  const Tensor hidden = adapted(slots.block, x, block);
  return {hidden, router_logits};
}

Kept DecoderLayer::kept() const {
  Kept all = self_attn.kept() + (moe ? moe->kept() : mlp->kept());
  for (const auto* norm : {&before_attention, &behind_attention, &before_mlp, &behind_mlp})
    if (*norm) all = all + (*norm)->kept();
  // What a norm gives to linear layers is made again; experts read a copy.
  if (before_attention) all.numbers -= before_attention->width();
  if (before_mlp && mlp) all.numbers -= before_mlp->width();
  return all;
}

}  // namespace lathe
