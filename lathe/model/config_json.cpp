// config.json of Hugging Face <-> ModelConfig.
#include <nlohmann/json.hpp>

#include "lathe/io/json.h"
#include "lathe/model/config.h"

namespace lathe {
namespace {

using nlohmann::json;

std::optional<double> optional_number(const json& object, const char* key) {
  if (find_member(object, key) == nullptr) return std::nullopt;
  return get_number(object, key);
}

std::optional<int64_t> optional_int(const json& object, const char* key, int64_t min, int64_t max) {
  if (find_member(object, key) == nullptr) return std::nullopt;
  return get_int(object, key, min, max);
}

std::vector<double> numbers(const json& object, const char* key) {
  std::vector<double> list;
  if (find_member(object, key) == nullptr) return list;
  for (const json& element : get_array(object, key)) {
    require(element.is_number(), "\"{}\": expected numbers, found {}", key, show_json(element));
    list.push_back(element.get<double>());
  }
  return list;
}

/// transformers 5 writes rope_parameters; 4 wrote rope_theta beside rope_scaling, whose rope_type
/// was once called type.
RopeParameters read_rope(const json& config, int64_t max_positions) {
  RopeParameters rope;
  rope.rope_theta = get_number_or(config, "rope_theta", rope.rope_theta);
  const json* object = find_member(config, "rope_parameters");
  if (object == nullptr) object = find_member(config, "rope_scaling");
  if (object == nullptr) return rope;
  const Context reading("{}", "\"rope_parameters\"");
  rope.rope_theta = get_number_or(*object, "rope_theta", rope.rope_theta);
  rope.rope_type = get_string_or(*object, "rope_type", get_string_or(*object, "type", "default"));
  for (const char* known : {"default", "linear", "dynamic", "yarn", "longrope", "llama3"}) {
    if (rope.rope_type != known) continue;
    rope.factor = optional_number(*object, "factor");
    rope.original_max_position_embeddings =
        optional_int(*object, "original_max_position_embeddings", 1, int64_t{1} << 40);
    if (!rope.original_max_position_embeddings)
      rope.original_max_position_embeddings =
          optional_int(config, "original_max_position_embeddings", 1, int64_t{1} << 40);
    if (!rope.original_max_position_embeddings && rope.rope_type != "default")
      rope.original_max_position_embeddings = max_positions;
    rope.low_freq_factor = optional_number(*object, "low_freq_factor");
    rope.high_freq_factor = optional_number(*object, "high_freq_factor");
    rope.beta_fast = optional_number(*object, "beta_fast");
    rope.beta_slow = optional_number(*object, "beta_slow");
    rope.attention_factor = optional_number(*object, "attention_factor");
    rope.mscale = optional_number(*object, "mscale");
    rope.mscale_all_dim = optional_number(*object, "mscale_all_dim");
    if (find_member(*object, "truncate") != nullptr) rope.truncate = get_bool(*object, "truncate");
    rope.short_factor = numbers(*object, "short_factor");
    rope.long_factor = numbers(*object, "long_factor");
    require(get_number_or(*object, "partial_rotary_factor", 1) == 1,
            "\"partial_rotary_factor\": only 1 is supported for model_type llama");
    return rope;
  }
  fail("\"rope_type\": expected default, linear, dynamic, yarn, longrope or llama3, found {}",
       rope.rope_type);
}

json write_rope(const RopeParameters& rope, bool with_theta) {
  json object = {{"rope_type", rope.rope_type}};
  if (with_theta) object["rope_theta"] = rope.rope_theta;
  const auto put = [&](const char* key, const auto& value) {
    if (value) object[key] = *value;
  };
  put("factor", rope.factor);
  if (rope.rope_type != "default")
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

/// Keys that would change the numbers: only these values are computed.
void refuse_unknown_mathematics(const json& config) {
  const std::string act = get_string_or(config, "hidden_act", "silu");
  require(act == "silu" || act == "swish",
          "\"hidden_act\": only silu is supported for model_type llama, found {}", act);
  require(get_number_or(config, "partial_rotary_factor", 1) == 1,
          "\"partial_rotary_factor\": only 1 is supported for model_type llama");
  require(get_number_or(config, "attention_dropout", 0) == 0,
          "\"attention_dropout\": only 0 is supported");
  require(find_member(config, "quantization_config") == nullptr,
          "\"quantization_config\": quantised weights are not supported in this format");
  if (find_member(config, "sliding_window") != nullptr)
    require(!get_bool_or(config, "use_sliding_window", true),
            "\"sliding_window\": not supported for model_type llama");
}

}  // namespace

ModelConfig read_model_config(const json& config) {
  constexpr int64_t large = int64_t{1} << 24;
  ModelConfig c;
  c.model_type = get_string(config, "model_type");
  require(c.model_type == "llama", "\"model_type\": supported families are: llama; found {}",
          c.model_type);
  refuse_unknown_mathematics(config);
  c.vocab_size = get_int(config, "vocab_size", 1, large);
  c.hidden_size = get_int(config, "hidden_size", 1, large);
  c.intermediate_size = get_int(config, "intermediate_size", 1, large);
  c.num_hidden_layers = get_int(config, "num_hidden_layers", 1, 4096);
  c.num_attention_heads = get_int(config, "num_attention_heads", 1, 1 << 16);
  c.num_key_value_heads = optional_int(config, "num_key_value_heads", 1, 1 << 16);
  c.head_dim = optional_int(config, "head_dim", 2, 1 << 16);
  c.max_position_embeddings =
      get_int_or(config, "max_position_embeddings", c.max_position_embeddings, 1, int64_t{1} << 40);
  c.rms_norm_eps = get_number_or(config, "rms_norm_eps", c.rms_norm_eps, 0, 1);
  c.initializer_range = get_number_or(config, "initializer_range", c.initializer_range, 0, 1);
  c.tie_word_embeddings = get_bool_or(config, "tie_word_embeddings", false);
  c.attention_bias = get_bool_or(config, "attention_bias", false);
  c.mlp_bias = get_bool_or(config, "mlp_bias", false);
  c.rope_parameters = read_rope(config, c.max_position_embeddings);
  c.bos_token_id = optional_int(config, "bos_token_id", 0, large);
  c.pad_token_id = optional_int(config, "pad_token_id", 0, large);
  if (const json* eos = find_member(config, "eos_token_id"); eos != nullptr && eos->is_array()) {
    for (const json& id : *eos) {
      require(id.is_number_integer(), "\"eos_token_id\": expected integers, found {}",
              show_json(id));
      c.eos_token_id.push_back(id.get<int64_t>());
    }
  } else if (eos != nullptr) {
    c.eos_token_id = {get_int(config, "eos_token_id", 0, large)};
  }
  c.check();
  return c;
}

json write_model_config(const ModelConfig& c, const std::string& dtype) {
  json config = {
      {"architectures", {"LlamaForCausalLM"}},
      {"model_type", c.model_type},
      {"vocab_size", c.vocab_size},
      {"hidden_size", c.hidden_size},
      {"intermediate_size", c.intermediate_size},
      {"num_hidden_layers", c.num_hidden_layers},
      {"num_attention_heads", c.num_attention_heads},
      {"num_key_value_heads", c.key_value_heads()},
      {"head_dim", c.head_size()},
      {"hidden_act", "silu"},
      {"max_position_embeddings", c.max_position_embeddings},
      {"rms_norm_eps", c.rms_norm_eps},
      {"initializer_range", c.initializer_range},
      {"tie_word_embeddings", c.tie_word_embeddings},
      {"attention_bias", c.attention_bias},
      {"mlp_bias", c.mlp_bias},
      {"use_cache", true},
      {"bos_token_id", c.bos_token_id ? json(*c.bos_token_id) : json(nullptr)},
      {"pad_token_id", c.pad_token_id ? json(*c.pad_token_id) : json(nullptr)},
      {"rope_parameters", write_rope(c.rope_parameters, true)},
      {"rope_theta", c.rope_parameters.rope_theta},
      {"dtype", dtype},
      {"torch_dtype", dtype},
  };
  config["eos_token_id"] = nullptr;
  if (c.eos_token_id.size() == 1) config["eos_token_id"] = c.eos_token_id[0];
  if (c.eos_token_id.size() > 1) config["eos_token_id"] = c.eos_token_id;
  if (c.rope_parameters.rope_type != "default")
    config["rope_scaling"] = write_rope(c.rope_parameters, false);
  return config;
}

}  // namespace lathe
