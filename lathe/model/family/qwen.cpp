// Qwen 2 (arXiv:2407.10671): biases of queries, keys and values; a window in the upper layers.
// Qwen 3 (arXiv:2505.09388): norms of each head of queries and keys instead.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "lathe/model/family/decoder_keys.h"

namespace lathe {
namespace {

/// What the configurations of both have in common.
void read_qwen(ConfigKeys& keys, ModelConfig& c) {
  c.num_key_value_heads = 32;
  c.max_position_embeddings = 32768;
  c.sliding_window = 4096;
  read_decoder(keys, c);
  read_switched_window(keys, c);
  int64_t global_layers = 28;
  keys("max_window_layers", global_layers, 0, 1 << 24);
  if (!c.layer_types.empty() || !c.sliding_window) return;
  for (int64_t layer = 0; layer < c.num_hidden_layers; ++layer)
    c.layer_types.emplace_back(layer < global_layers ? full_attention : sliding_attention);
}

void write_qwen(const ModelConfig& c, nlohmann::json& object) {
  const auto first_local = std::find(c.layer_types.begin(), c.layer_types.end(), sliding_attention);
  write_decoder(c, object);
  object["use_sliding_window"] = c.sliding_window.has_value();
  object["sliding_window"] = or_null(c.sliding_window);
  object["max_window_layers"] =
      first_local - c.layer_types.begin();  // before there were layer_types
  object["layer_types"] = c.layer_types;
}

void read_qwen2(ConfigKeys& keys, ModelConfig& c) {
  read_qwen(keys, c);
}

void complete_qwen2(ModelConfig& c) {
  complete_decoder(c);
  c.layer_types = listed_layer_types(c);
  c.qkv_bias = true;
}

void read_qwen3(ConfigKeys& keys, ModelConfig& c) {
  c.head_dim = 128;
  read_qwen(keys, c);
  keys("attention_bias", c.attention_bias);
}

void write_qwen3(const ModelConfig& c, nlohmann::json& object) {
  write_qwen(c, object);
  object["attention_bias"] = c.attention_bias;
}

void complete_qwen3(ModelConfig& c) {
  complete_decoder(c);
  c.layer_types = listed_layer_types(c);
  c.query_key_norm = QueryKeyNorm::head;
}

}  // namespace

extern const Family qwen2_family = {"qwen2",    "Qwen2ForCausalLM", "Qwen 2 and 2.5", read_qwen2,
                                    write_qwen, complete_qwen2,     build_decoder};

extern const Family qwen3_family = {"qwen3",     "Qwen3ForCausalLM", "Qwen 3",     read_qwen3,
                                    write_qwen3, complete_qwen3,     build_decoder};

}  // namespace lathe
