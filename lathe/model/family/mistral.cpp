// Mistral (Jiang et al. 2023, arXiv:2310.06825): Llama where every layer sees a window.
#include <nlohmann/json.hpp>

#include "lathe/model/family/decoder_keys.h"

namespace lathe {
namespace {

void read_mistral(ConfigKeys& keys, ModelConfig& c) {
  c.num_key_value_heads = 8;
  c.max_position_embeddings = 131'072;
  c.sliding_window = 4096;
  read_decoder(keys, c);
  keys("sliding_window", c.sliding_window, int64_t{1}, longest_context);
}

void write_mistral(const ModelConfig& c, nlohmann::json& object) {
  write_decoder(c, object);
  object["sliding_window"] = or_null(c.sliding_window);
}

}  // namespace

extern const Family mistral_family = {"mistral",    "MistralForCausalLM", "Mistral",
                                      read_mistral, write_mistral,        complete_decoder,
                                      build_decoder};

}  // namespace lathe
