// What a model is, in the words of Hugging Face's config.json.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lathe/options/fields.h"

namespace lathe {

/// Position embedding by rotation, and how its frequencies are scaled for longer contexts. The
/// fields are those of `rope_parameters` in config.json; which of them count depends on
/// `rope_type`.
struct RopeParameters {
  std::string rope_type = "default";  ///< default, linear, dynamic, yarn, longrope, llama3
  double rope_theta = 10000;
  std::optional<double> factor;
  std::optional<int64_t> original_max_position_embeddings;
  std::optional<double> low_freq_factor, high_freq_factor;                               // llama3
  std::optional<double> beta_fast, beta_slow, attention_factor, mscale, mscale_all_dim;  // yarn
  std::optional<bool> truncate;                                                          // yarn
  std::vector<double> short_factor, long_factor;                                         // longrope

  void fields(Fields& f);
};

/// A decoder of the Llama family. Defaults are those of transformers, except that sizes must be
/// given.
struct ModelConfig {
  std::string model_type = "llama";
  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  std::optional<int64_t> num_key_value_heads;  ///< as many as attention heads if unset
  std::optional<int64_t> head_dim;             ///< hidden_size / num_attention_heads if unset
  int64_t max_position_embeddings = 2048;
  double rms_norm_eps = 1e-6;
  double initializer_range = 0.02;
  bool tie_word_embeddings = false;
  bool attention_bias = false;
  bool mlp_bias = false;
  RopeParameters rope_parameters;
  std::optional<int64_t> bos_token_id, pad_token_id;
  std::vector<int64_t> eos_token_id;

  int64_t key_value_heads() const { return num_key_value_heads.value_or(num_attention_heads); }
  int64_t head_size() const { return head_dim.value_or(hidden_size / num_attention_heads); }

  void fields(Fields& f);
  /// Throws Error if sizes do not fit each other.
  void check() const;
};

/// Reads config.json in the spelling of transformers 4 or 5. Throws Error for a family that is not
/// supported, and for a key that would change the numbers in a way Lathe does not compute.
ModelConfig read_model_config(const nlohmann::json& config);

/// config.json in both spellings: transformers 4 and 5 read it. `dtype` is that of the weights.
nlohmann::json write_model_config(const ModelConfig& config, const std::string& dtype);

}  // namespace lathe
