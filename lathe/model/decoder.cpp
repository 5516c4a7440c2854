#include "lathe/model/decoder.h"

namespace lathe {

Decoder::Body::Body(const ModelConfig& c)
    : embed_tokens(c.vocab_size, c.hidden_size), norm(c.hidden_size, c) {
  layers.reserve(static_cast<size_t>(c.num_hidden_layers));
  for (int64_t layer = 0; layer < c.num_hidden_layers; ++layer) layers.emplace_back(c, layer);
}

Decoder::Decoder(const ModelConfig& c)
    : Model(c),
      body_(c),
      rotary_(c.rope_parameters, c.rotated_size(c.rope_parameters), c.max_position_embeddings) {
  if (!c.tie_word_embeddings && !is_classifier())
    lm_head_.emplace(c.hidden_size, c.vocab_size, false);
  if (const auto& local = c.local_rope_parameters)
    local_rotary_.emplace(*local, c.rotated_size(*local), c.max_position_embeddings);
}

Tensor Decoder::embed(const Tensor& ids) const {
  const Tensor x = body_.embed_tokens(ids, compute_dtype_);
  if (!config_.scale_embeddings) return x;
  // Rounded as transformers rounds it: to float32, then to the dtype of the embeddings.
  const auto root = static_cast<float>(std::sqrt(static_cast<double>(config_.hidden_size)));
  return x * at::full({}, root, x.options());
}

LayerInput Decoder::layer_input(const ModelInput& input, KvCache* cache) const {
  const Places at = places(input, cache);
  LayerInput in{.global = {rotary_angles(rotary_, input, at, compute_dtype_), at.first, 0},
                .local = {},
                .cache = cache,
                .counts = input.counts};
  if (!config_.has_local_layers()) return in;
  in.local = in.global;
  if (local_rotary_) in.local.angles = rotary_angles(*local_rotary_, input, at, compute_dtype_);
  in.local.window = *config_.sliding_window;
  if (at.first.defined()) {
    const Tensor steps = at::arange(at.first.size(1), at.first.options());
    in.local.first = at::maximum(at.first, steps - (in.local.window - 1));
  }
  return in;
}

ModelOutput Decoder::forward(const ModelInput& input, KvCache* cache) {
  return with_current_angles(rotary_, input, cache,
                             [this](const auto& i, auto* c) { return pass(i, c); });
}

ModelOutput Decoder::pass(const ModelInput& input, KvCache* cache) {
  const LayerInput in = layer_input(input, cache);
  const auto embedded = [&] { return embed(input.input_ids); };
  return run_layers(input, in, embedded, body_.layers, body_.norm, gradient_checkpointing_);
}

const Tensor& Decoder::output_weight() const {
  return lm_head_ ? lm_head_->weight : body_.embed_tokens.weight;
}

std::vector<Site> Decoder::own_sites() {
  std::vector<Site> list;
  list_sites(body_, "model", config_.hidden_size, list);
  return list;
}

std::vector<NamedTensor> Decoder::own_tensors() {
  std::vector<NamedTensor> list;
  list_tensors(*this, "", list);
  return list;
}

}  // namespace lathe
