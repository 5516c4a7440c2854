// Rotary embedding in config.json: transformers 5 writes rope_parameters; 4 wrote rope_theta beside
// rope_scaling, whose rope_type was once called type.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "lathe/io/json.h"
#include "lathe/model/family/decoder_keys.h"

namespace lathe {
namespace {

using nlohmann::json;

void read_type(ConfigKeys& keys, std::string& type) {
  keys("type", type);
  keys("rope_type", type);
  if (type == "su") type = "longrope";  // its name in the first Phi-3 models
  require(std::find(std::begin(rope_types), std::end(rope_types), type) != std::end(rope_types),
          "\"rope_type\": expected one of {}, found {}", fmt::join(rope_types, ", "), type);
}

/// One object of parameters.
void read_object(const json& object, RopeParameters& rope) {
  ConfigKeys keys(object);
  read_type(keys, rope.rope_type);
  keys("rope_theta", rope.rope_theta, 1e-6);
  keys("partial_rotary_factor", rope.partial_rotary_factor, 0.0, 1.0);
  keys("factor", rope.factor);
  keys("original_max_position_embeddings", rope.original_max_position_embeddings, int64_t{1},
       longest_context);
  keys("low_freq_factor", rope.low_freq_factor);
  keys("high_freq_factor", rope.high_freq_factor);
  keys("beta_fast", rope.beta_fast);
  keys("beta_slow", rope.beta_slow);
  keys("attention_factor", rope.attention_factor);
  keys("mscale", rope.mscale);
  keys("mscale_all_dim", rope.mscale_all_dim);
  keys("truncate", rope.truncate);
  keys("short_factor", rope.short_factor);
  keys("long_factor", rope.long_factor);
  keys.ignore({"finetuned"});
  keys.refuse_unread("rope_type " + rope.rope_type);
}

/// Parameters of global and of local layers.
void read_objects_by_layer(const json& object, ModelConfig& c) {
  ConfigKeys types(object);
  if (const json* global = types.find(full_attention)) read_object(*global, c.rope_parameters);
  if (const json* local = types.find(sliding_attention))
    read_object(*local, *c.local_rope_parameters);
  types.refuse_unread(c.model_type);
}

}  // namespace

void read_rope(ConfigKeys& keys, ModelConfig& c) {
  RopeParameters& rope = c.rope_parameters;
  keys("rope_theta", rope.rope_theta, 1e-6);
  keys("partial_rotary_factor", rope.partial_rotary_factor, 0.0, 1.0);
  if (c.local_rope_parameters)
    keys("rope_local_base_freq", c.local_rope_parameters->rope_theta, 1e-6);
  const json* parameters = keys.find("rope_parameters");
  const json* scaling = keys.find("rope_scaling");
  if (parameters != nullptr && (c.local_rope_parameters || scaling == nullptr)) {
    const Context reading("{}", "\"rope_parameters\"");
    if (c.local_rope_parameters)
      read_objects_by_layer(*parameters, c);
    else
      read_object(*parameters, rope);
  }
  if (scaling != nullptr) {  // as in transformers 5, the older spelling counts where both are there
    const Context reading("{}", "\"rope_scaling\"");
    read_object(*scaling, rope);
  }
  // Phi-3 keeps this one outside; it counts more than the one inside.
  std::optional<int64_t> original;
  keys("original_max_position_embeddings", original, int64_t{1}, longest_context);
  if (original && rope.compares_with_original()) rope.original_max_position_embeddings = original;
}

json rope_object(const RopeParameters& rope, bool with_theta) {
  json object = {{"rope_type", rope.rope_type}};
  if (with_theta) object["rope_theta"] = rope.rope_theta;
  if (with_theta && rope.partial_rotary_factor != 1)
    object["partial_rotary_factor"] = rope.partial_rotary_factor;
  const auto put = [&](const char* key, const auto& value) {
    if (value) object[key] = *value;
  };
  put("factor", rope.factor);
  if (rope.compares_with_original())
    put("original_max_position_embeddings", rope.original_max_position_embeddings);
  put("low_freq_factor", rope.low_freq_factor);
  put("high_freq_factor", rope.high_freq_factor);
  put("beta_fast", rope.beta_fast);
  put("beta_slow", rope.beta_slow);
  put("attention_factor", rope.attention_factor);
  put("mscale", rope.mscale);
  put("mscale_all_dim", rope.mscale_all_dim);
  put("truncate", rope.truncate);
  if (!rope.short_factor.empty()) object["short_factor"] = rope.short_factor;
  if (!rope.long_factor.empty()) object["long_factor"] = rope.long_factor;
  return object;
}

void write_rope(const ModelConfig& c, json& object) {
  const RopeParameters& rope = c.rope_parameters;
  object["rope_parameters"] = rope_object(rope, true);
  object["rope_theta"] = rope.rope_theta;
  if (rope.partial_rotary_factor != 1) object["partial_rotary_factor"] = rope.partial_rotary_factor;
  if (rope.rope_type != "default") object["rope_scaling"] = rope_object(rope, false);
}

}  // namespace lathe
