// What a model is: the features of its data flow, in the words of Hugging Face's config.json.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lathe/options/fields.h"

namespace lathe {

/// More positions than any model has: what a file may say.
inline constexpr int64_t longest_context = int64_t{1} << 40;

/// The scalings of rotary frequencies that there are.
inline constexpr const char* rope_types[] = {"default", "linear",   "dynamic",
                                             "yarn",    "longrope", "llama3"};

/// Position embedding by rotation, and how its frequencies are scaled for longer contexts. The
/// fields are those of `rope_parameters` in config.json; which of them count depends on
/// `rope_type`.
struct RopeParameters {
  std::string rope_type = "default";  ///< one of rope_types
  double rope_theta = 10000;
  double partial_rotary_factor = 1;  ///< the part of each head that is rotated
  std::optional<double> factor;
  std::optional<int64_t> original_max_position_embeddings;
  std::optional<double> low_freq_factor, high_freq_factor;                               // llama3
  std::optional<double> beta_fast, beta_slow, attention_factor, mscale, mscale_all_dim;  // yarn
  std::optional<bool> truncate;                                                          // yarn
  std::vector<double> short_factor, long_factor;                                         // longrope

  /// Whether positions are compared with the context before scaling.
  bool compares_with_original() const;
  void fields(Fields& f);
  /// Throws Error if what `rope_type` needs is missing. `rotated`: elements a head that turn.
  void check(int64_t rotated) const;
  bool operator==(const RopeParameters&) const = default;
};

/// Where the norms of a layer stand: before attention and MLP (Llama), behind them (OLMo 2), or
/// both (Gemma 2 and 3).
enum class NormPlacement { before, behind, both };

/// What is normalised of queries and keys: nothing, each head (Qwen 3), or all heads at once
/// (OLMo 2).
enum class QueryKeyNorm { none, head, projection };

/// What layer_types calls a layer that sees a window only.
inline constexpr const char* sliding_attention = "sliding_attention";
inline constexpr const char* full_attention = "full_attention";

/// A model, as features that its builder looks at; the name of the family decides nothing but how
/// config.json is spelled. Sizes must be given. The last group is not spelled in config.json: it
/// follows from the family, see complete_config().
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
  double layer_norm_eps = 1e-5;  ///< of LayerNorm, which the oldest families have
  double initializer_range = 0.02;
  bool tie_word_embeddings = false;
  bool attention_bias = false;  ///< queries, keys, values and output
  bool mlp_bias = false;
  std::string hidden_act;  ///< Hugging Face's name of the activation; empty: that of the family
  std::optional<int64_t> query_pre_attn_scalar;  ///< scores are divided by its root
  std::optional<double> attn_logit_softcapping, final_logit_softcapping;
  std::optional<int64_t> sliding_window;  ///< positions a local layer sees, itself among them
  std::vector<std::string> layer_types;   ///< of each layer; empty: all local if there is a window
  std::vector<int64_t> no_rope_layers;    ///< of each layer 1, or 0 to leave out rotation; or empty
  RopeParameters rope_parameters;
  std::optional<RopeParameters> local_rope_parameters;  ///< of local layers, if they differ
  bool use_parallel_residual = true;  ///< GPT-NeoX: the MLP reads what attention reads
  bool scale_attn_weights = true;     ///< GPT-2: scores are divided by the root of head_dim
  bool scale_attn_by_inverse_layer_idx = false;  ///< GPT-2: scores are divided by layer + 1
  int64_t num_experts = 0;                       ///< of a mixture of experts; 0: one MLP
  std::optional<int64_t> num_experts_per_tok;    ///< how many experts a token is sent to
  std::optional<int64_t> moe_intermediate_size;  ///< of an expert; intermediate_size if unset
  bool norm_topk_prob = false;           ///< weights of the chosen experts are made to add up to 1
  std::vector<int64_t> mlp_only_layers;  ///< layers that have one MLP in spite of num_experts
  int64_t decoder_sparse_step = 1;       ///< every how many layers one has experts
  double router_aux_loss_coef = 0;       ///< weight of the loss that balances experts
  /// Whether training adds that loss. Unset: for a new model, if it has a weight.
  std::optional<bool> output_router_logits;
  std::optional<int64_t> bos_token_id, pad_token_id;
  std::vector<int64_t> eos_token_id;
  /// Of a classifier the names of its outputs ("id2label"), and what they mean ("problem_type"); a
  /// language model has none.
  std::vector<std::string> labels;
  std::string problem_type;

  bool qkv_bias = false;           ///< queries, keys and values have biases, the output has none
  bool fused_projections = false;  ///< qkv_proj, gate_up_proj in one matrix each
  QueryKeyNorm query_key_norm = QueryKeyNorm::none;
  NormPlacement norm_placement = NormPlacement::before;
  double norm_offset = 0;          ///< added to the weights of norms
  bool scale_embeddings = false;   ///< embeddings times the root of hidden_size
  bool learned_positions = false;  ///< positions are embedded, not rotated
  bool block_sparse_moe =
      false;  ///< experts have the names of Mixtral: block_sparse_moe, w1, w3, w2

  int64_t key_value_heads() const { return num_key_value_heads.value_or(num_attention_heads); }
  int64_t head_size() const { return head_dim.value_or(hidden_size / num_attention_heads); }
  /// Elements of each head that rotary embedding turns.
  int64_t rotated_size(const RopeParameters& rope) const;
  /// Whether a layer sees the last `sliding_window` positions only.
  bool is_local(int64_t layer) const;
  bool has_local_layers() const;
  /// Whether the MLP of a layer is a mixture of experts.
  bool has_experts(int64_t layer) const;

  /// What a recipe may say.
  void fields(Fields& f);
  /// Throws Error if sizes do not fit each other.
  void check() const;
  bool operator==(const ModelConfig&) const = default;
};

/// The families there are, by `model_type`.
std::vector<std::string> model_types();

/// The configuration with all that follows from its family filled in. Throws Error for a family
/// that is not supported.
ModelConfig complete_config(ModelConfig config);

/// Reads config.json in the spelling of transformers 4 or 5. Throws Error for a family that is not
/// supported, and for a key that would change the numbers in a way Lathe does not compute.
ModelConfig read_model_config(const nlohmann::json& config);

/// config.json in both spellings: transformers 4 and 5 read it. `dtype` is that of the weights.
nlohmann::json write_model_config(const ModelConfig& config, const std::string& dtype);

}  // namespace lathe
