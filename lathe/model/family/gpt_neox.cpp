// GPT-NeoX and Pythia: in transformers 4 rotary embedding is spelled rotary_pct, rotary_emb_base.
#include "lathe/model/gpt_neox.h"

#include <nlohmann/json.hpp>

#include "lathe/model/family/decoder_keys.h"

namespace lathe {
namespace {

void read_gpt_neox(ConfigKeys& keys, ModelConfig& c) {
  c.hidden_act = "gelu";
  c.attention_bias = true;
  c.rope_parameters.partial_rotary_factor = 0.25;
  keys("rotary_pct", c.rope_parameters.partial_rotary_factor, 0.0, 1.0);
  keys("rotary_emb_base", c.rope_parameters.rope_theta, 1e-6);
  keys.needed("vocab_size", c.vocab_size);
  keys.needed("hidden_size", c.hidden_size);
  keys.needed("intermediate_size", c.intermediate_size);
  keys.needed("num_hidden_layers", c.num_hidden_layers, 4096);
  keys.needed("num_attention_heads", c.num_attention_heads, 1 << 16);
  keys("max_position_embeddings", c.max_position_embeddings, 1, longest_context);
  keys("layer_norm_eps", c.layer_norm_eps, 0.0, 1.0);
  keys("initializer_range", c.initializer_range, 0.0, 1.0);
  keys("tie_word_embeddings", c.tie_word_embeddings);
  keys("hidden_act", c.hidden_act);
  keys("attention_bias", c.attention_bias);
  keys("use_parallel_residual", c.use_parallel_residual);
  keys.ignore({"is_decoder"});
  read_rope(keys, c);
}

void write_gpt_neox(const ModelConfig& c, nlohmann::json& object) {
  object.update({
      {"vocab_size", c.vocab_size},
      {"hidden_size", c.hidden_size},
      {"intermediate_size", c.intermediate_size},
      {"num_hidden_layers", c.num_hidden_layers},
      {"num_attention_heads", c.num_attention_heads},
      {"max_position_embeddings", c.max_position_embeddings},
      {"layer_norm_eps", c.layer_norm_eps},
      {"initializer_range", c.initializer_range},
      {"tie_word_embeddings", c.tie_word_embeddings},
      {"hidden_act", c.hidden_act},
      {"attention_bias", c.attention_bias},
      {"use_parallel_residual", c.use_parallel_residual},
      {"rotary_pct", c.rope_parameters.partial_rotary_factor},
      {"rotary_emb_base", c.rope_parameters.rope_theta},
  });
  write_rope(c, object);
}

void complete_gpt_neox(ModelConfig& c) {
  if (c.hidden_act.empty()) c.hidden_act = "gelu";
}

std::unique_ptr<Model> build_gpt_neox(const ModelConfig& config) {
  return std::make_unique<GptNeox>(config);
}

/// transformers 5 has this name in memory, and may write it.
std::vector<StoredPlace> places_in_gpt_neox(const std::string& weight, const ModelConfig&) {
  if (weight != "embed_out.weight") return {};
  return {{"lm_head.weight"}};
}

/// The causal mask, which was once stored in each layer, and the output layer where it is tied.
bool is_superfluous_in_gpt_neox(std::string_view tensor, const ModelConfig& c) {
  return tensor.ends_with(".attention.bias") || tensor.ends_with(".attention.masked_bias") ||
         (c.tie_word_embeddings && tensor == "embed_out.weight");
}

}  // namespace

extern const Family gpt_neox_family = {
    "gpt_neox",     "GPTNeoXForCausalLM", "GPT-NeoX, Pythia",
    read_gpt_neox,  write_gpt_neox,       complete_gpt_neox,
    build_gpt_neox, places_in_gpt_neox,   is_superfluous_in_gpt_neox};

}  // namespace lathe
