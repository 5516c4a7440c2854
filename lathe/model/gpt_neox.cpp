#include "lathe/model/gpt_neox.h"

#include "lathe/ops/rope.h"

namespace lathe {

GptNeoxAttention::GptNeoxAttention(const ModelConfig& c)
    : query_key_value(c.hidden_size, 3 * c.hidden_size, c.attention_bias),
      dense(c.hidden_size, c.hidden_size, c.attention_bias),
      heads(c.num_attention_heads),
      scoring{1 / std::sqrt(static_cast<double>(c.head_size()))} {}

Tensor GptNeoxAttention::operator()(const Tensor& x, const LayerInput& in, int64_t layer) const {
  const std::vector<Tensor> qkv =
      query_key_value(x).view({x.size(0), x.size(1), heads, -1}).chunk(3, 3);  // (B, T, H, E) each
  const RotaryAngles& angles = in.global.angles;
  const Tensor q = ops::rope(qkv[0], angles.cos, angles.sin);
  const Tensor k = ops::rope(qkv[1], angles.cos, angles.sin);
  return dense(attend(q, k, qkv[2], in.global, in.cache, layer, scoring));
}

Kept GptNeoxAttention::kept() const {
  const int64_t width = dense.weight.size(0);
  return Kept{width} + kept_by_attention(heads, heads, width / heads);
}

GptNeoxMlp::GptNeoxMlp(const ModelConfig& c)
    : dense_h_to_4h(c.hidden_size, c.intermediate_size, true),
      dense_4h_to_h(c.intermediate_size, c.hidden_size, true),
      activation(ops::activation_named(c.hidden_act)) {}

Tensor GptNeoxMlp::operator()(const Tensor& x) const {
  return dense_4h_to_h(ops::activate(dense_h_to_4h(x), activation));
}

Kept GptNeoxMlp::kept() const {
  // Before and behind the activation.
  return {dense_h_to_4h.weight.size(1) + 2 * dense_h_to_4h.weight.size(0)};
}

GptNeoxLayer::GptNeoxLayer(const ModelConfig& c)
    : input_layernorm(c.hidden_size, c),
      post_attention_layernorm(c.hidden_size, c),
      attention(c),
      mlp(c),
      parallel(c.use_parallel_residual) {}

LayerOutput GptNeoxLayer::operator()(const Tensor& x, const LayerInput& in, int64_t layer) const {
  const auto attend = [&](const Tensor& h) { return attention(input_layernorm(h), in, layer); };
  const auto feed = [&](const Tensor& h) { return mlp(post_attention_layernorm(h)); };
  const auto block = [&](const Tensor& h) {
    const Tensor attended = adapted(slots.attention, h, attend);
    if (parallel) return adapted(slots.mlp, h, feed) + attended + h;
    const Tensor read = attended + h;
    return adapted(slots.mlp, read, feed) + read;
  };
  return {adapted(slots.block, x, block), {}};
}

Kept GptNeoxLayer::kept() const {
  const Kept all =
      input_layernorm.kept() + attention.kept() + post_attention_layernorm.kept() + mlp.kept();
  // Side by side, both norms read the same.
  return parallel ? all + Kept{-post_attention_layernorm.kept().numbers} : all;
}

GptNeox::Body::Body(const ModelConfig& c)
    : embed_in(c.vocab_size, c.hidden_size), final_layer_norm(c.hidden_size, c) {
  layers.reserve(static_cast<size_t>(c.num_hidden_layers));
  for (int64_t layer = 0; layer < c.num_hidden_layers; ++layer) layers.emplace_back(c);
}

GptNeox::GptNeox(const ModelConfig& c)
    : Model(c),
      body_(c),
      rotary_(c.rope_parameters, c.rotated_size(c.rope_parameters), c.max_position_embeddings) {
  if (!c.tie_word_embeddings && !is_classifier())
    embed_out_.emplace(c.hidden_size, c.vocab_size, false);
}

ModelOutput GptNeox::forward(const ModelInput& input, KvCache* cache) {
  return with_current_angles(rotary_, input, cache,
                             [this](const auto& i, auto* c) { return pass(i, c); });
}

ModelOutput GptNeox::pass(const ModelInput& input, KvCache* cache) {
  const Places at = places(input, cache);
  const LayerInput in{.global = {rotary_angles(rotary_, input, at, compute_dtype_), at.first, 0},
                      .local = {},
                      .cache = cache,
                      .counts = input.counts};
  const auto embed = [&] { return body_.embed_in(input.input_ids, compute_dtype_); };
  return run_layers(input, in, embed, body_.layers, body_.final_layer_norm,
                    gradient_checkpointing_);
}

const Tensor& GptNeox::output_weight() const {
  return embed_out_ ? embed_out_->weight : body_.embed_in.weight;
}

std::vector<Site> GptNeox::own_sites() {
  std::vector<Site> list;
  list_sites(body_, "gpt_neox", config_.hidden_size, list);
  return list;
}

std::vector<NamedTensor> GptNeox::own_tensors() {
  std::vector<NamedTensor> list;
  list_tensors(*this, "", list);
  return list;
}

}  // namespace lathe
