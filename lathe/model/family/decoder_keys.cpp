#include "lathe/model/family/decoder_keys.h"

#include <nlohmann/json.hpp>

#include "lathe/model/decoder.h"

namespace lathe {

using nlohmann::json;

void read_decoder(ConfigKeys& keys, ModelConfig& c) {
  keys.needed("vocab_size", c.vocab_size);
  keys.needed("hidden_size", c.hidden_size);
  keys.needed("intermediate_size", c.intermediate_size);
  keys.needed("num_hidden_layers", c.num_hidden_layers, 4096);
  keys.needed("num_attention_heads", c.num_attention_heads, 1 << 16);
  keys("num_key_value_heads", c.num_key_value_heads, int64_t{1}, int64_t{1} << 16);
  keys("head_dim", c.head_dim, int64_t{2}, int64_t{1} << 16);
  keys("max_position_embeddings", c.max_position_embeddings, 1, longest_context);
  keys("rms_norm_eps", c.rms_norm_eps, 0.0, 1.0);
  keys("initializer_range", c.initializer_range, 0.0, 1.0);
  keys("tie_word_embeddings", c.tie_word_embeddings);
  keys("hidden_act", c.hidden_act);
  read_rope(keys, c);
}

void write_decoder(const ModelConfig& c, json& object) {
  object.update({
      {"vocab_size", c.vocab_size},
      {"hidden_size", c.hidden_size},
      {"intermediate_size", c.intermediate_size},
      {"num_hidden_layers", c.num_hidden_layers},
      {"num_attention_heads", c.num_attention_heads},
      {"num_key_value_heads", c.key_value_heads()},
      {"head_dim", c.head_size()},
      {"hidden_act", c.hidden_act},
      {"max_position_embeddings", c.max_position_embeddings},
      {"rms_norm_eps", c.rms_norm_eps},
      {"initializer_range", c.initializer_range},
      {"tie_word_embeddings", c.tie_word_embeddings},
  });
  write_rope(c, object);
}

void complete_decoder(ModelConfig& c, bool partial_rotary) {
  if (c.hidden_act.empty()) c.hidden_act = "silu";
  require(partial_rotary || c.rope_parameters.partial_rotary_factor == 1,
          "\"partial_rotary_factor\": only 1 is computed for models of type {}, found {}",
          c.model_type, c.rope_parameters.partial_rotary_factor);
}

void complete_decoder(ModelConfig& c) {
  complete_decoder(c, false);
}

std::unique_ptr<Model> build_decoder(const ModelConfig& config) {
  return std::make_unique<Decoder>(config);
}

void read_switched_window(ConfigKeys& keys, ModelConfig& c) {
  bool used = false;
  keys("use_sliding_window", used);
  keys("sliding_window", c.sliding_window, int64_t{1}, longest_context);
  if (!used) c.sliding_window.reset();
  keys("layer_types", c.layer_types);
}

std::vector<std::string> listed_layer_types(const ModelConfig& c) {
  if (!c.layer_types.empty()) return c.layer_types;
  return {static_cast<size_t>(std::max<int64_t>(c.num_hidden_layers, 0)),
          c.sliding_window ? sliding_attention : full_attention};
}

std::vector<std::string> every_nth_global(int64_t layers, int64_t every) {
  std::vector<std::string> types;
  for (int64_t layer = 1; layer <= layers; ++layer)
    types.emplace_back(layer % every == 0 ? full_attention : sliding_attention);
  return types;
}

json or_null(const std::optional<int64_t>& value) {
  return value ? json(*value) : json(nullptr);
}

json or_null(const std::optional<double>& value) {
  return value ? json(*value) : json(nullptr);
}

}  // namespace lathe
