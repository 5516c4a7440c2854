// GPT-2: sizes have names of their own (n_embd, n_head, ...).
#include "lathe/model/gpt2.h"

#include <nlohmann/json.hpp>

#include "lathe/model/family/decoder_keys.h"

namespace lathe {
namespace {

void read_gpt2(ConfigKeys& keys, ModelConfig& c) {
  c.hidden_act = "gelu_new";
  c.tie_word_embeddings = true;
  c.max_position_embeddings = 1024;
  keys.needed("vocab_size", c.vocab_size);
  keys.needed("n_embd", c.hidden_size);
  keys.needed("n_layer", c.num_hidden_layers, 4096);
  keys.needed("n_head", c.num_attention_heads, 1 << 16);
  keys("n_inner", c.intermediate_size, 1, 1 << 24);
  keys("n_positions", c.max_position_embeddings, 1, 1 << 24);
  keys("activation_function", c.hidden_act);
  keys("layer_norm_epsilon", c.layer_norm_eps, 0.0, 1.0);
  keys("initializer_range", c.initializer_range, 0.0, 1.0);
  keys("tie_word_embeddings", c.tie_word_embeddings);
  keys("scale_attn_weights", c.scale_attn_weights);
  keys("scale_attn_by_inverse_layer_idx", c.scale_attn_by_inverse_layer_idx);
  // The first says n_positions again; the second takes scores in float32, which softmax does here;
  // the others are of a head for other tasks.
  keys.ignore({"n_ctx", "reorder_and_upcast_attn", "summary_activation", "summary_proj_to_labels",
               "summary_type", "summary_use_proj"});
}

void write_gpt2(const ModelConfig& c, nlohmann::json& object) {
  object.update({
      {"vocab_size", c.vocab_size},
      {"n_embd", c.hidden_size},
      {"n_layer", c.num_hidden_layers},
      {"n_head", c.num_attention_heads},
      {"n_inner", c.intermediate_size},
      {"n_positions", c.max_position_embeddings},
      {"activation_function", c.hidden_act},
      {"layer_norm_epsilon", c.layer_norm_eps},
      {"initializer_range", c.initializer_range},
      {"tie_word_embeddings", c.tie_word_embeddings},
      {"scale_attn_weights", c.scale_attn_weights},
      {"scale_attn_by_inverse_layer_idx", c.scale_attn_by_inverse_layer_idx},
  });
}

void complete_gpt2(ModelConfig& c) {
  if (c.hidden_act.empty()) c.hidden_act = "gelu_new";
  if (c.intermediate_size == 0) c.intermediate_size = 4 * c.hidden_size;
  c.learned_positions = true;
}

std::unique_ptr<Model> build_gpt2(const ModelConfig& config) {
  return std::make_unique<Gpt2>(config);
}

/// Files of the model without its head leave out the first part of names.
std::vector<StoredPlace> places_in_gpt2(const std::string& weight, const ModelConfig&) {
  constexpr std::string_view prefix = "transformer.";
  if (!weight.starts_with(prefix)) return {};
  return {{weight.substr(prefix.size())}};
}

/// The causal mask, which was once stored in each layer.
bool is_superfluous_in_gpt2(std::string_view tensor, const ModelConfig&) {
  return tensor.ends_with(".attn.bias") || tensor.ends_with(".attn.masked_bias");
}

}  // namespace

extern const Family gpt2_family = {"gpt2",     "GPT2LMHeadModel", "GPT-2",
                                   read_gpt2,  write_gpt2,        complete_gpt2,
                                   build_gpt2, places_in_gpt2,    is_superfluous_in_gpt2};

}  // namespace lathe
