#include "lathe/model/decoder.h"

#include "lathe/model/recompute.h"

namespace lathe {
namespace {

/// For each position of `segments` (B, T) the first position of its segment, (B, T) int64.
Tensor segment_starts(const Tensor& segments) {
  const int64_t rows = segments.size(0);
  const int64_t positions = segments.size(1);
  const Tensor ids = segments.to(at::kInt).contiguous();
  const Tensor starts = at::empty({rows, positions}, at::kLong);
  const int32_t* id = ids.const_data_ptr<int32_t>();
  int64_t* start = starts.data_ptr<int64_t>();
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t t = 0; t < positions; ++t) {
      const int64_t at = row * positions + t;
      start[at] = t > 0 && id[at] == id[at - 1] ? start[at - 1] : t;
    }
  return starts;
}

}  // namespace

Decoder::Decoder(const ModelConfig& c)
    : Model(c),
      body_{.embed_tokens = Embedding(c.vocab_size, c.hidden_size),
            .layers = std::vector<DecoderLayer>(static_cast<size_t>(c.num_hidden_layers),
                                                DecoderLayer(c)),
            .norm = RmsNorm(c.hidden_size, c.rms_norm_eps)} {
  // The copies of the first layer must not share its tensors.
  for (DecoderLayer& layer : body_.layers) layer = DecoderLayer(c);
  if (!c.tie_word_embeddings) lm_head_.emplace(c.hidden_size, c.vocab_size, false);
}

LayerInput Decoder::layer_input(const ModelInput& input, KvCache* cache) const {
  const Tensor& ids = input.input_ids;
  const Tensor steps = at::arange(ids.size(1), ids.options()).expand_as(ids);
  LayerInput in{.angles = {}, .first = {}, .cache = cache};
  Tensor positions = input.position_ids.defined() ? input.position_ids : steps;
  bool empty = true;
  if (cache != nullptr) {
    const Tensor lengths = at::tensor(cache->lengths, ids.options());
    empty = std::all_of(cache->lengths.begin(), cache->lengths.end(),
                        [](int64_t length) { return length == 0; });
    positions = steps + lengths.unsqueeze(1);
  }
  // An empty cache adds nothing to see: the new positions attend to themselves as in training.
  if (empty)
    in.first = input.segment_ids.defined() ? segment_starts(input.segment_ids.cpu())
                                           : at::zeros(ids.sizes(), at::kLong);
  const at::ScalarType angle_dtype = compute_dtype_ == at::kDouble ? at::kDouble : at::kFloat;
  in.angles = rotary_angles(config_, positions, angle_dtype);
  return in;
}

Tensor Decoder::hidden_states(const ModelInput& input, KvCache* cache) {
  const LayerInput in = layer_input(input, cache);
  Tensor x = body_.embed_tokens(input.input_ids, compute_dtype_);  // (B, T, D)
  for (size_t i = 0; i < body_.layers.size(); ++i) {
    const auto layer = [this, in, i](const Tensor& h) {
      return body_.layers[i](h, in, static_cast<int64_t>(i));
    };
    x = gradient_checkpointing_ && at::GradMode::is_enabled() ? recompute(layer, x) : layer(x);
  }
  if (cache != nullptr)
    for (int64_t& length : cache->lengths) length += input.input_ids.size(1);
  return body_.norm(x);
}

const Tensor& Decoder::output_weight() const {
  return lm_head_ ? lm_head_->weight : body_.embed_tokens.weight;
}

std::vector<NamedTensor> Decoder::named_tensors() {
  std::vector<NamedTensor> list;
  list_tensors(*this, "", list);
  return list;
}

}  // namespace lathe
