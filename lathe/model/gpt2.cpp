#include "lathe/model/gpt2.h"

#include "lathe/ops/linear.h"
#include "lathe/ops/quantized.h"

namespace lathe {
namespace {

/// Scores are divided by the root of the head's size, and by the number of the layer, if the
/// configuration says so.
ops::Scoring scoring_of(const ModelConfig& c, int64_t layer) {
  double scale = c.scale_attn_weights ? 1 / std::sqrt(static_cast<double>(c.head_size())) : 1;
  if (c.scale_attn_by_inverse_layer_idx) scale /= static_cast<double>(layer + 1);
  return {scale};
}

/// The length of the longest text; padding behind it, which `counts` leaves out, may reach further.
int64_t longest_text(const Tensor& positions, const std::vector<int64_t>& counts) {
  if (counts.empty()) return positions.max().item<int64_t>() + 1;
  const Tensor begin = positions.select(1, 0);
  return (begin + at::tensor(counts, begin.options())).max().item<int64_t>();
}

}  // namespace

Conv1D::Conv1D(int64_t in, int64_t out) : weight(described({in, out})), bias(described({out})) {}

Tensor Conv1D::operator()(const Tensor& x) const {
  return adapted(slot, x,
                 [this](const Tensor& h) { return ops::linear(h, ops::transposed(weight), bias); });
}

Site Conv1D::site(const std::string& name) {
  return {name, SiteKind::linear, weight.size(0), weight.size(1), &slot, &weight, true, &bias};
}

Gpt2Attention::Gpt2Attention(const ModelConfig& c, int64_t layer)
    : c_attn(c.hidden_size, 3 * c.hidden_size),
      c_proj(c.hidden_size, c.hidden_size),
      heads(c.num_attention_heads),
      scoring(scoring_of(c, layer)) {}

Tensor Gpt2Attention::operator()(const Tensor& x, const LayerInput& in, int64_t layer) const {
  const std::vector<Tensor> qkv =
      c_attn(x).view({x.size(0), x.size(1), 3 * heads, -1}).chunk(3, 2);  // (B, T, H, E) each
  return c_proj(attend(qkv[0], qkv[1], qkv[2], in.global, in.cache, layer, scoring));
}

Kept Gpt2Attention::kept() const {
  const int64_t width = c_proj.weight.size(0);
  return Kept{width} + kept_by_attention(heads, heads, width / heads);
}

Gpt2Mlp::Gpt2Mlp(const ModelConfig& c)
    : c_fc(c.hidden_size, c.intermediate_size),
      c_proj(c.intermediate_size, c.hidden_size),
      activation(ops::activation_named(c.hidden_act)) {}

Tensor Gpt2Mlp::operator()(const Tensor& x) const {
  return c_proj(ops::activate(c_fc(x), activation));
}

Kept Gpt2Mlp::kept() const {
  return {c_fc.weight.size(0) + 2 * c_fc.weight.size(1)};  // before and behind the activation
}

Gpt2Block::Gpt2Block(const ModelConfig& c, int64_t layer)
    : ln_1(c.hidden_size, c), attn(c, layer), ln_2(c.hidden_size, c), mlp(c) {}

LayerOutput Gpt2Block::operator()(const Tensor& x, const LayerInput& in, int64_t layer) const {
  const auto attend = [&](const Tensor& h) { return attn(ln_1(h), in, layer); };
  const auto feed = [&](const Tensor& h) { return mlp(ln_2(h)); };
  const auto block = [&](const Tensor& h) {
    const Tensor attended = h + adapted(slots.attention, h, attend);
    return attended + adapted(slots.mlp, attended, feed);
  };
  return {adapted(slots.block, x, block), {}};
}

Kept Gpt2Block::kept() const {
  return ln_1.kept() + attn.kept() + ln_2.kept() + mlp.kept();
}

Gpt2::Body::Body(const ModelConfig& c)
    : wte(c.vocab_size, c.hidden_size),
      wpe(c.max_position_embeddings, c.hidden_size),
      ln_f(c.hidden_size, c) {
  h.reserve(static_cast<size_t>(c.num_hidden_layers));
  for (int64_t layer = 0; layer < c.num_hidden_layers; ++layer) h.emplace_back(c, layer);
}

Gpt2::Gpt2(const ModelConfig& c) : Model(c), body_(c) {
  if (!c.tie_word_embeddings && !is_classifier())
    lm_head_.emplace(c.hidden_size, c.vocab_size, false);
}

ModelOutput Gpt2::forward(const ModelInput& input, KvCache* cache) {
  const Places at = places(input, cache);
  const int64_t longest = longest_text(at.positions, input.counts);
  require(longest <= config_.max_position_embeddings,
          "this model has learned {} positions, found a text of {} tokens: use shorter texts",
          config_.max_position_embeddings, longest);
  const auto embed = [&] {
    return body_.wte(input.input_ids, compute_dtype_) +
           body_.wpe(at.positions.clamp_max(config_.max_position_embeddings - 1), compute_dtype_);
  };
  const LayerInput in{
      .global = {{}, at.first, 0}, .local = {}, .cache = cache, .counts = input.counts};
  return run_layers(input, in, embed, body_.h, body_.ln_f, gradient_checkpointing_);
}

const Tensor& Gpt2::output_weight() const {
  return lm_head_ ? lm_head_->weight : body_.wte.weight;
}

std::vector<Site> Gpt2::own_sites() {
  std::vector<Site> list;
  list_sites(body_, "transformer", config_.hidden_size, list);
  return list;
}

std::vector<NamedTensor> Gpt2::own_tensors() {
  std::vector<NamedTensor> list;
  list_tensors(*this, "", list);
  return list;
}

double Gpt2::initial_deviation(const std::string& weight) const {
  const double additions = 2 * static_cast<double>(config_.num_hidden_layers);
  return weight.ends_with(".c_proj.weight") ? config_.initializer_range / std::sqrt(additions)
                                            : config_.initializer_range;
}

}  // namespace lathe
