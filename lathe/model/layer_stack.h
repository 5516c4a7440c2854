// What a forward pass through layers has in common, whatever the layers are. Letters: B rows, T
// positions, D hidden size, H query heads, K key and value heads, E elements a head, R rotated
// elements of each head.
#pragma once

#include "lathe/model/model.h"
#include "lathe/model/recompute.h"
#include "lathe/model/rotary.h"
#include "lathe/ops/attention.h"

namespace lathe {

/// Where the tokens of an input stand.
struct Places {
  Tensor positions;  // (B, T) int64, on the device of the input
  Tensor first;      // (B, T) int64 on the CPU: the first key each query sees; undefined where the
                     // cache holds keys already
};

/// The places of an input that continues `cache`, or begins if there is none.
Places places(const ModelInput& input, const KvCache* cache);

/// The angles that `rotary` has at those places, for queries and keys of `dtype`.
RotaryAngles rotary_angles(const Rotary& rotary, const ModelInput& input, const Places& places,
                           at::ScalarType dtype);

/// A forward pass in which the keys of the cache have the angles they need.
using ForwardPass = std::function<ModelOutput(const ModelInput&, KvCache*)>;

/// `pass`, where `rotary` may depend on the length of a text: a cache whose keys were rotated as in
/// shorter texts is filled anew first.
ModelOutput with_current_angles(const Rotary& rotary, const ModelInput& input, KvCache* cache,
                                const ForwardPass& pass);

/// What the layers of one forward pass share.
struct LayerInput {
  /// What a layer sees of the positions, which differs between global and local layers.
  struct Sight {
    RotaryAngles angles;  // (B, T, R/2); undefined in models with learned positions
    Tensor first;         // (B, T) int64, as in Places
    int64_t window = 0;   // positions that are seen with a cache; 0: all
  };
  Sight global, local;
  KvCache* cache = nullptr;          // grows when the last layer is done
  std::vector<int64_t> counts = {};  // (B) by how much each row of it grows; empty: by T
};

/// What a layer gives.
struct LayerOutput {
  Tensor hidden;         // (B, T, D)
  Tensor router_logits;  // (B*T, experts) of a mixture of experts, else undefined
};

/// Attention of one layer over what `sight` shows it, and over the cache if there is one, to which
/// the new keys and values are added. q (B, T, H, E); k, v (B, T, K, E) -> (B, T, H*E).
Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, const LayerInput::Sight& sight,
              KvCache* cache, int64_t layer, ops::Scoring scoring);

/// What attention keeps of its queries, keys, values and results.
inline Kept kept_by_attention(int64_t heads, int64_t key_value_heads, int64_t head_dim) {
  return {2 * (heads + key_value_heads) * head_dim, heads};
}

/// What each of the layers keeps.
template <class Layer>
std::vector<Kept> kept_by_layers(const std::vector<Layer>& layers) {
  std::vector<Kept> kept;
  kept.reserve(layers.size());
  for (const Layer& layer : layers) kept.push_back(layer.kept());
  return kept;
}

/// The embeddings through the layers that the input asks for, and the last norm. Layers are called
/// as layer(x, in, index) -> LayerOutput, `embed` gives what the first one reads, (B, T, D).
/// `recomputed`: activations of layers are computed again in the backward pass.
template <class Layer, class Embed, class Norm>
ModelOutput run_layers(const ModelInput& input, const LayerInput& in, const Embed& embed,
                       const std::vector<Layer>& layers, const Norm& norm, bool recomputed) {
  const auto all = static_cast<int64_t>(layers.size());
  const int64_t end = input.end_layer.value_or(all);
  require(
      input.first_layer >= 0 && input.first_layer <= end && end <= all &&
          (input.first_layer == 0) == !input.states.defined(),
      "layers: expected states to begin with if not at 0, and a range in 0 to {}, found {} to {}",
      all, input.first_layer, end);
  const auto embedded = [&] {
    const AdapterInputAtWork at_work(input.adapters);
    return embed();
  };
  ModelOutput out{input.first_layer == 0 ? embedded() : input.states, {}};
  if (input.embedding_noise.defined())
    out.hidden = out.hidden + input.embedding_noise.to(out.hidden.scalar_type());
  for (int64_t i = input.first_layer; i < end; ++i) {
    const Recomputable layer = [&layers, in, i, adapters = input.adapters](const Tensor& h) {
      const AdapterInputAtWork at_work(adapters);
      const LayerOutput y = layers[static_cast<size_t>(i)](h, in, i);
      std::vector<Tensor> results = {y.hidden};
      if (y.router_logits.defined()) results.push_back(y.router_logits);
      return results;
    };
    const bool again = recomputed && at::GradMode::is_enabled();
    std::vector<Tensor> results = again ? recompute(layer, out.hidden) : layer(out.hidden);
    out.hidden = results[0];
    if (results.size() > 1) out.router_logits.push_back(results[1]);
  }
  if (in.cache != nullptr)
    for (size_t row = 0; row < in.cache->lengths.size(); ++row)
      in.cache->lengths[row] += in.counts.empty() ? input.input_ids.size(1) : in.counts.at(row);
  if (!input.end_layer) out.hidden = norm(out.hidden);
  return out;
}

}  // namespace lathe
