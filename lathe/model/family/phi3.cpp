// Phi-3 and 4-mini (arXiv:2404.14219): one matrix for queries, keys and values, one for gate and
// up; part of each head rotated, LongRoPE.
#include <nlohmann/json.hpp>

#include "lathe/model/family/decoder_keys.h"

namespace lathe {
namespace {

constexpr int64_t default_context = 4096;

void read_phi3(ConfigKeys& keys, ModelConfig& c) {
  c.max_position_embeddings = default_context;
  c.rms_norm_eps = 1e-5;
  read_decoder(keys, c);
  keys("sliding_window", c.sliding_window, int64_t{1}, longest_context);
  for (const char* key : {"full_attn_mod", "interpolate_factor"}) {  // in Phi-4-mini, always 1
    int64_t one = 1;
    keys(key, one, 1, 1);
  }
  RopeParameters& rope = c.rope_parameters;
  if (rope.rope_type == "yarn") rope.rope_type = "longrope";  // what the first models called it
  if (rope.rope_type == "longrope" && keys.find("original_max_position_embeddings") == nullptr)
    rope.original_max_position_embeddings = default_context;
}

void write_phi3(const ModelConfig& c, nlohmann::json& object) {
  write_decoder(c, object);
  object["sliding_window"] = or_null(c.sliding_window);
  const RopeParameters& rope = c.rope_parameters;
  object["original_max_position_embeddings"] =
      rope.original_max_position_embeddings.value_or(default_context);
  // transformers 4 wants these three and no more.
  if (rope.rope_type == "longrope")
    object["rope_scaling"] = {{"type", "longrope"},
                              {"short_factor", rope.short_factor},
                              {"long_factor", rope.long_factor}};
}

void complete_phi3(ModelConfig& c) {
  complete_decoder(c, true);
  c.fused_projections = true;
}

}  // namespace

extern const Family phi3_family = {"phi3",     "Phi3ForCausalLM", "Phi-3, Phi-4-mini", read_phi3,
                                   write_phi3, complete_phi3,     build_decoder};

}  // namespace lathe
