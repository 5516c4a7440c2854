// Mixtures of experts: Mixtral (arXiv:2401.04088), which is Mistral with experts, and the mixtures
// of Qwen 3 (arXiv:2505.09388).
#include <nlohmann/json.hpp>

#include "lathe/model/family/decoder_keys.h"

namespace lathe {
namespace {

constexpr int64_t most_experts = 1 << 16;
constexpr double default_balance = 0.001;  // of both families' configuration classes

void read_experts(ConfigKeys& keys, ModelConfig& c) {
  keys("num_local_experts", c.num_experts, 0, most_experts);
  keys("num_experts_per_tok", c.num_experts_per_tok, int64_t{1}, most_experts);
  keys("router_aux_loss_coef", c.router_aux_loss_coef, 0.0);
  c.output_router_logits = false;
  keys("output_router_logits", c.output_router_logits);
}

void write_experts(const ModelConfig& c, nlohmann::json& object) {
  object["num_local_experts"] = c.num_experts;
  object["num_experts_per_tok"] = or_null(c.num_experts_per_tok);
  object["router_aux_loss_coef"] = c.router_aux_loss_coef;
  object["output_router_logits"] = c.output_router_logits.value_or(false);
}

void complete_experts(ModelConfig& c) {
  complete_decoder(c);
  if (!c.output_router_logits) c.output_router_logits = c.router_aux_loss_coef > 0;
}

/// Where a weight of an expert is in files that keep all experts of a layer in one tensor, as
/// transformers 5 does in memory. `layer` comes before "experts." there; `gate` and `up` are the
/// names of an expert's matrices in `weight`.
std::vector<StoredPlace> fused_places(const std::string& weight, const std::string& layer,
                                      const ModelConfig& c, std::string_view gate,
                                      std::string_view up) {
  size_t digits = 0;
  const std::string rest = weight.substr(weight.find("experts.") + 8);  // 3.gate_proj.weight
  const int64_t expert = std::stoll(rest, &digits);
  const std::string matrix = rest.substr(digits + 1, rest.rfind('.') - digits - 1);
  const std::string gate_up = layer + "experts.gate_up_proj";
  if (matrix == gate) return {{gate_up, expert, c.num_experts, 0, 2}};
  if (matrix == up) return {{gate_up, expert, c.num_experts, 1, 2}};
  return {{layer + "experts.down_proj", expert, c.num_experts}};
}

void read_mixtral(ConfigKeys& keys, ModelConfig& c) {
  c.num_key_value_heads = 8;
  c.max_position_embeddings = 131'072;
  c.rms_norm_eps = 1e-5;
  c.rope_parameters.rope_theta = 1e6;
  c.num_experts = 8;
  c.num_experts_per_tok = 2;
  c.router_aux_loss_coef = default_balance;
  read_decoder(keys, c);
  keys("sliding_window", c.sliding_window, int64_t{1}, longest_context);
  read_experts(keys, c);
  keys.ignore({"router_jitter_noise"});  // a kind of dropout
}

void write_mixtral(const ModelConfig& c, nlohmann::json& object) {
  write_decoder(c, object);
  object["sliding_window"] = or_null(c.sliding_window);
  write_experts(c, object);
}

void complete_mixtral(ModelConfig& c) {
  complete_experts(c);
  c.norm_topk_prob = true;
  c.block_sparse_moe = true;
}

std::vector<StoredPlace> mixtral_places(const std::string& weight, const ModelConfig& c) {
  constexpr std::string_view name = "block_sparse_moe.";
  const size_t at = weight.find(name);
  if (at == weight.npos) return {};
  const std::string layer = weight.substr(0, at) + "mlp.";
  if (weight.find(".experts.", at) == weight.npos)
    return {{layer + weight.substr(at + name.size())}};
  return fused_places(weight, layer, c, "w1", "w3");
}

void read_qwen3_moe(ConfigKeys& keys, ModelConfig& c) {
  c.num_key_value_heads = 4;
  c.max_position_embeddings = 32768;
  c.num_experts = 128;
  c.num_experts_per_tok = 8;
  c.moe_intermediate_size = 768;
  c.router_aux_loss_coef = default_balance;
  c.sliding_window = 4096;
  read_decoder(keys, c);
  keys("attention_bias", c.attention_bias);
  bool windowed = false;
  keys("use_sliding_window", windowed);
  keys("sliding_window", c.sliding_window, int64_t{1}, longest_context);
  if (!windowed) c.sliding_window.reset();
  if (!windowed) keys.ignore({"max_window_layers"});
  keys("num_experts", c.num_experts, 0, most_experts);  // in transformers 4
  read_experts(keys, c);
  keys("moe_intermediate_size", c.moe_intermediate_size, int64_t{1}, int64_t{1} << 24);
  keys("norm_topk_prob", c.norm_topk_prob);
  keys("decoder_sparse_step", c.decoder_sparse_step, 1, 4096);
  keys("mlp_only_layers", c.mlp_only_layers, 0, 4095);
}

void write_qwen3_moe(const ModelConfig& c, nlohmann::json& object) {
  write_decoder(c, object);
  object["attention_bias"] = c.attention_bias;
  object["use_sliding_window"] = c.sliding_window.has_value();
  object["sliding_window"] = or_null(c.sliding_window);
  write_experts(c, object);
  object["num_experts"] = c.num_experts;  // what transformers 4 calls num_local_experts here
  object["moe_intermediate_size"] = or_null(c.moe_intermediate_size);
  object["norm_topk_prob"] = c.norm_topk_prob;
  object["decoder_sparse_step"] = c.decoder_sparse_step;
  object["mlp_only_layers"] = c.mlp_only_layers;
}

void complete_qwen3_moe(ModelConfig& c) {
  complete_experts(c);
  if (!c.moe_intermediate_size) c.moe_intermediate_size = c.intermediate_size;
  c.query_key_norm = QueryKeyNorm::head;
}

std::vector<StoredPlace> qwen3_moe_places(const std::string& weight, const ModelConfig& c) {
  const size_t at = weight.find("experts.");
  if (at == weight.npos) return {};
  return fused_places(weight, weight.substr(0, at), c, "gate_proj", "up_proj");
}

}  // namespace

extern const Family mixtral_family = {"mixtral",     "MixtralForCausalLM", "Mixtral",
                                      read_mixtral,  write_mixtral,        complete_mixtral,
                                      build_decoder, mixtral_places};

extern const Family qwen3_moe_family = {
    "qwen3_moe",    "Qwen3MoeForCausalLM", "Qwen 3 mixtures of experts",
    read_qwen3_moe, write_qwen3_moe,       complete_qwen3_moe,
    build_decoder,  qwen3_moe_places};

}  // namespace lathe
