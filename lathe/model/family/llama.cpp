// Llama 2 and 3 (arXiv:2307.09288, arXiv:2407.21783), and what is made like them.
#include <nlohmann/json.hpp>

#include "lathe/model/family/decoder_keys.h"

namespace lathe {
namespace {

void read_llama(ConfigKeys& keys, ModelConfig& c) {
  read_decoder(keys, c);
  keys("attention_bias", c.attention_bias);
  keys("mlp_bias", c.mlp_bias);
}

void write_llama(const ModelConfig& c, nlohmann::json& object) {
  write_decoder(c, object);
  object["attention_bias"] = c.attention_bias;
  object["mlp_bias"] = c.mlp_bias;
}

}  // namespace

extern const Family llama_family = {"llama",      "LlamaForCausalLM", "Llama 2 and 3, SmolLM2",
                                    read_llama,   write_llama,        complete_decoder,
                                    build_decoder};

}  // namespace lathe
