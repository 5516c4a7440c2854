// SmolLM3: Llama with layers that do not rotate queries and keys (Yang et al. 2025,
// arXiv:2501.18795).
#include <nlohmann/json.hpp>

#include "lathe/model/family/decoder_keys.h"

namespace lathe {
namespace {

/// 0 for every `interval`-th layer, else 1.
std::vector<int64_t> rotated_layers(int64_t layers, int64_t interval) {
  std::vector<int64_t> list;
  for (int64_t layer = 1; layer <= layers; ++layer) list.push_back(layer % interval != 0 ? 1 : 0);
  return list;
}

void complete_smollm3(ModelConfig& c) {
  complete_decoder(c);
  if (c.no_rope_layers.empty()) c.no_rope_layers = rotated_layers(c.num_hidden_layers, 4);
  if (c.layer_types.empty() && c.sliding_window)
    for (const int64_t rotated : c.no_rope_layers)
      c.layer_types.emplace_back(rotated != 0 ? full_attention : sliding_attention);
  c.layer_types = listed_layer_types(c);
}

void read_smollm3(ConfigKeys& keys, ModelConfig& c) {
  c.tie_word_embeddings = true;
  c.num_key_value_heads = 4;
  c.max_position_embeddings = 32768;
  c.rope_parameters.rope_theta = 2000000;
  read_decoder(keys, c);
  keys("attention_bias", c.attention_bias);
  keys("mlp_bias", c.mlp_bias);
  read_switched_window(keys, c);
  keys.ignore({"max_window_layers"});  // left over from the configuration it was made from
  int64_t interval = 4;
  keys("no_rope_layer_interval", interval, 1, 4096);
  keys("no_rope_layers", c.no_rope_layers, 0, 1);
  if (c.no_rope_layers.empty()) c.no_rope_layers = rotated_layers(c.num_hidden_layers, interval);
}

void write_smollm3(const ModelConfig& c, nlohmann::json& object) {
  write_decoder(c, object);
  object["attention_bias"] = c.attention_bias;
  object["mlp_bias"] = c.mlp_bias;
  object["use_sliding_window"] = c.sliding_window.has_value();
  object["sliding_window"] = or_null(c.sliding_window);
  object["layer_types"] = c.layer_types;
  object["no_rope_layers"] = c.no_rope_layers;
}

}  // namespace

extern const Family smollm3_family = {"smollm3",    "SmolLM3ForCausalLM", "SmolLM3",
                                      read_smollm3, write_smollm3,        complete_smollm3,
                                      build_decoder};

}  // namespace lathe
