// OLMo 2 (arXiv:2501.00656): norms behind attention and MLP, and of all queries and keys at once.
#include <nlohmann/json.hpp>

#include "lathe/model/family/decoder_keys.h"

namespace lathe {
namespace {

void read_olmo2(ConfigKeys& keys, ModelConfig& c) {
  c.rms_norm_eps = 1e-5;
  read_decoder(keys, c);
  keys("attention_bias", c.attention_bias);
}

void write_olmo2(const ModelConfig& c, nlohmann::json& object) {
  write_decoder(c, object);
  object["attention_bias"] = c.attention_bias;
}

void complete_olmo2(ModelConfig& c) {
  complete_decoder(c);
  c.norm_placement = NormPlacement::behind;
  c.query_key_norm = QueryKeyNorm::projection;
}

}  // namespace

extern const Family olmo2_family = {"olmo2",     "Olmo2ForCausalLM", "OLMo 2",     read_olmo2,
                                    write_olmo2, complete_olmo2,     build_decoder};

}  // namespace lathe
