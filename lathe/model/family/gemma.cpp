// Gemma 2 (arXiv:2408.00118): norms on both sides, soft-caps, every other layer local. Gemma 3
// (arXiv:2503.19786), its text models: norms of queries and keys, most layers local with rotary
// frequencies of their own.
#include <nlohmann/json.hpp>

#include "lathe/io/json.h"
#include "lathe/model/family/decoder_keys.h"

namespace lathe {
namespace {

using nlohmann::json;

constexpr const char* activation = "gelu_pytorch_tanh";

void read_gemma(ConfigKeys& keys, ModelConfig& c) {
  c.num_key_value_heads = 4;
  c.head_dim = 256;
  c.tie_word_embeddings = true;
  c.query_pre_attn_scalar = 256;
  c.sliding_window = 4096;
  read_decoder(keys, c);
  c.hidden_act = activation;  // hidden_act means nothing here, whatever it says
  keys("hidden_activation", c.hidden_act);
  keys("attention_bias", c.attention_bias);
  keys("query_pre_attn_scalar", c.query_pre_attn_scalar, int64_t{1}, int64_t{1} << 24);
  keys("attn_logit_softcapping", c.attn_logit_softcapping, 1e-6);
  keys("final_logit_softcapping", c.final_logit_softcapping, 1e-6);
  keys("sliding_window", c.sliding_window, int64_t{1}, longest_context);
  keys("layer_types", c.layer_types);
}

void write_gemma(const ModelConfig& c, json& object) {
  write_decoder(c, object);
  object["hidden_activation"] = c.hidden_act;
  object["attention_bias"] = c.attention_bias;
  object["query_pre_attn_scalar"] = or_null(c.query_pre_attn_scalar);
  object["attn_logit_softcapping"] = or_null(c.attn_logit_softcapping);
  object["final_logit_softcapping"] = or_null(c.final_logit_softcapping);
  object["sliding_window"] = or_null(c.sliding_window);
  object["layer_types"] = c.layer_types;
}

/// `every`: which layers are global, where nothing says it.
void complete_both(ModelConfig& c, int64_t every) {
  if (c.hidden_act.empty()) c.hidden_act = activation;
  complete_decoder(c);
  if (!c.query_pre_attn_scalar && c.num_attention_heads > 0)
    c.query_pre_attn_scalar = c.head_size();
  c.norm_placement = NormPlacement::both;
  c.norm_offset = 1;
  c.scale_embeddings = true;
  if (c.layer_types.empty() && c.sliding_window)
    c.layer_types = every_nth_global(c.num_hidden_layers, every);
  c.layer_types = listed_layer_types(c);
}

void read_gemma2(ConfigKeys& keys, ModelConfig& c) {
  c.max_position_embeddings = 8192;
  c.attn_logit_softcapping = 50;
  c.final_logit_softcapping = 30;
  read_gemma(keys, c);
  keys.ignore({"sliding_window_size"});  // the same number as sliding_window in the first models
}

void complete_gemma2(ModelConfig& c) {
  complete_both(c, 2);
}

/// transformers 5 before layer_types, and 4: every which layer is global.
constexpr const char* pattern_keys[] = {"sliding_window_pattern", "_sliding_window_pattern"};

void read_gemma3(ConfigKeys& keys, ModelConfig& c) {
  c.max_position_embeddings = 131072;
  c.rope_parameters.rope_theta = 1000000;
  c.local_rope_parameters = RopeParameters{};
  read_gemma(keys, c);
  int64_t every = 6;
  for (const char* key : pattern_keys) keys(key, every, 1, 4096);
  if (c.layer_types.empty() && c.sliding_window)
    c.layer_types = every_nth_global(c.num_hidden_layers, every);
}

void write_gemma3(const ModelConfig& c, json& object) {
  write_gemma(c, object);
  object["rope_local_base_freq"] = c.local_rope_parameters->rope_theta;
  object["rope_parameters"] = {{full_attention, rope_object(c.rope_parameters, true)},
                               {sliding_attention, rope_object(*c.local_rope_parameters, true)}};
  for (int64_t every = 1; every <= c.num_hidden_layers; ++every)
    if (c.layer_types == every_nth_global(c.num_hidden_layers, every))
      object["sliding_window_pattern"] = every;
}

void complete_gemma3(ModelConfig& c) {
  complete_both(c, 6);
  c.query_key_norm = QueryKeyNorm::head;
  require(!c.attn_logit_softcapping,
          "\"attn_logit_softcapping\": transformers does not compute it for {}, found {}",
          c.model_type, c.attn_logit_softcapping.value_or(0));
  if (!c.local_rope_parameters) c.local_rope_parameters = RopeParameters{};
}

}  // namespace

extern const Family gemma2_family = {"gemma2",    "Gemma2ForCausalLM", "Gemma 2",    read_gemma2,
                                     write_gemma, complete_gemma2,     build_decoder};

extern const Family gemma3_text_family = {"gemma3_text", "Gemma3ForCausalLM", "Gemma 3, text",
                                          read_gemma3,   write_gemma3,        complete_gemma3,
                                          build_decoder};

}  // namespace lathe
