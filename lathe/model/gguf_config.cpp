#include "lathe/model/gguf_config.h"

#include <algorithm>

#include "lathe/base/error.h"
#include "lathe/io/utf8.h"
#include "lathe/model/gguf_keys.h"
#include "lathe/model/gguf_names.h"
#include "lathe/model/gguf_rope.h"

namespace lathe {
namespace {

constexpr int64_t large = 1 << 24;

/// Layers of the largest Gemma 2 and 3. llama.cpp knows by them that scores are not divided by the
/// root of the head size there.
constexpr int64_t gemma2_largest = 46, gemma3_largest = 62;

void visit_sizes(GgufKeys& keys, ModelConfig& c) {
  keys.needed("context_length", c.max_position_embeddings, longest_context);
  keys.needed("embedding_length", c.hidden_size, large);
  keys.needed("block_count", c.num_hidden_layers, 4096);
  keys.needed("feed_forward_length", c.intermediate_size, large);
  keys.needed("attention.head_count", c.num_attention_heads, 1 << 16);
  keys("attention.head_count_kv", c.num_key_value_heads, int64_t{1} << 16);
}

void visit_head_size(GgufKeys& keys, ModelConfig& c) {
  c.head_dim = c.head_size();
  std::optional<int64_t> values = c.head_dim;
  keys("attention.key_length", c.head_dim, int64_t{1} << 16);
  keys("attention.value_length", values, int64_t{1} << 16);
  c.head_dim = c.head_size();
  require(values.value_or(*c.head_dim) == *c.head_dim,
          "\"{}\": expected the length of keys, {}, found {}", keys.key("attention.value_length"),
          *c.head_dim, *values);
}

void visit_gemma(GgufKeys& keys, ModelConfig& c, int64_t largest) {
  keys("attention.sliding_window", c.sliding_window, longest_context);
  keys("attn_logit_softcapping", c.attn_logit_softcapping);
  keys("final_logit_softcapping", c.final_logit_softcapping);
  if (keys.reads())
    c.query_pre_attn_scalar = static_cast<double>(
        c.num_hidden_layers == largest ? c.hidden_size / c.num_attention_heads : c.head_size());
}

void visit_experts(GgufKeys& keys, ModelConfig& c) {
  keys("expert_count", c.num_experts, 0, 1 << 16);
  keys("expert_used_count", c.num_experts_per_tok, int64_t{1} << 16);
  if (c.model_type != "qwen3_moe") return;
  keys("expert_feed_forward_length", c.moe_intermediate_size, large);
  if (keys.reads()) c.norm_topk_prob = true;
}

/// Everything that the metadata says of a model of type `c.model_type`.
void visit(GgufKeys& keys, ModelConfig& c, const GgufContents* contents) {
  visit_sizes(keys, c);
  if (c.model_type == "gpt2" || c.model_type == "gpt_neox") {
    keys("attention.layer_norm_epsilon", c.layer_norm_eps);
  } else {
    keys("attention.layer_norm_rms_epsilon", c.rms_norm_eps);
  }
  if (c.model_type == "gpt2") return;
  visit_head_size(keys, c);
  visit_gguf_rope(keys, c, contents);
  if (c.model_type == "gpt_neox") keys("use_parallel_residual", c.use_parallel_residual);
  if (c.model_type == "gemma2") visit_gemma(keys, c, gemma2_largest);
  if (c.model_type == "gemma3_text") visit_gemma(keys, c, gemma3_largest);
  if (c.model_type == "mixtral" || c.model_type == "qwen3_moe") visit_experts(keys, c);
  if (c.model_type == "mistral" || c.model_type == "mixtral")
    keys("attention.sliding_window", c.sliding_window, longest_context);
  if (c.model_type == "phi3") {  // its readers want a 0 where there is none
    int64_t window = c.sliding_window.value_or(0);
    keys("attention.sliding_window", window, 0, longest_context);
    c.sliding_window = window > 0 ? std::optional(window) : std::nullopt;
  }
}

/// What tensors there are says the rest.
void read_shapes(const GgufContents& contents, ModelConfig& c) {
  const std::vector<int64_t> embedding = contents.shape("token_embd.weight");
  require(embedding.size() == 2 && embedding[0] >= 1 && embedding[0] <= large,
          "tensor \"token_embd.weight\": expected two dimensions, found ({})",
          fmt::join(embedding, ", "));
  c.vocab_size = embedding[0];
  c.tie_word_embeddings = !contents.has("output.weight");
  if (c.model_type == "gpt2") return;
  c.attention_bias = contents.has("blk.0.attn_output.bias");
  c.mlp_bias = c.model_type != "gpt_neox" && contents.has("blk.0.ffn_down.bias");
}

void read_gguf_token_ids(const GgufMetadata& metadata, ModelConfig& c) {
  const auto id = [&](const char* key) -> std::optional<int64_t> {
    if (!metadata.has(key)) return std::nullopt;
    return metadata.get_int(key, 0, c.vocab_size - 1);
  };
  c.bos_token_id = id("tokenizer.ggml.bos_token_id");
  c.pad_token_id = id("tokenizer.ggml.padding_token_id");
  for (const char* key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"})
    if (const auto end = id(key); end && std::ranges::count(c.eos_token_id, *end) == 0)
      c.eos_token_id.push_back(*end);
}

/// Which of the families that share an architecture the file is of.
std::string model_type_of(const GgufMetadata& metadata, std::string_view architecture) {
  const std::vector<std::string_view> types = gguf_model_types(architecture);
  if (types.empty())
    fail("\"general.architecture\": supported are {}; found {}",
         fmt::join(gguf_architectures(), ", "), show_text(architecture));
  if (types.size() == 1) return std::string(types[0]);
  if (metadata.get_int_or("llama.expert_count", 0) > 0) return "mixtral";
  if (metadata.get_int_or("llama.attention.sliding_window", 0) > 0) return "mistral";
  return "llama";
}

/// A configuration without the differences that change nothing a model computes.
ModelConfig essence(ModelConfig c, const ModelConfig& like) {
  if (!c.has_local_layers()) {
    c.sliding_window.reset();
    c.layer_types.clear();
  }
  if (std::ranges::count(c.layer_types, full_attention) == 0) c.layer_types.clear();
  if (!c.rope_parameters.compares_with_original())
    c.rope_parameters.original_max_position_embeddings.reset();
  if (c.model_type == "mistral" && !c.sliding_window) c.model_type = "llama";
  c.initializer_range = like.initializer_range;
  c.router_aux_loss_coef = like.router_aux_loss_coef;
  c.output_router_logits = like.output_router_logits;
  c.bos_token_id = like.bos_token_id;
  c.pad_token_id = like.pad_token_id;
  c.eos_token_id = like.eos_token_id;
  if (c.num_experts == 0) c.num_experts_per_tok.reset();
  return c;
}

}  // namespace

ModelConfig read_gguf_config(const GgufContents& contents) {
  const GgufMetadata& metadata = contents.metadata();
  const std::string architecture(metadata.get_string("general.architecture"));
  require(metadata.get_int_or("split.count", 1) <= 1,
          "this is one of {} parts: join them with llama-gguf-split --merge",
          metadata.get_int_or("split.count", 1));
  ModelConfig c;
  c.model_type = model_type_of(metadata, architecture);
  GgufKeys keys(metadata, architecture);
  visit(keys, c, &contents);
  read_shapes(contents, c);
  read_gguf_token_ids(metadata, c);
  c = complete_config(c);
  // One base for the layers with a window, where the file says it.
  if (c.local_rope_parameters) keys("rope.freq_base_swa", c.local_rope_parameters->rope_theta);
  c.check();
  return c;
}

std::vector<GgufFactors> write_gguf_config(const ModelConfig& config, GgufFields& fields) {
  ModelConfig c = complete_config(config);
  const std::string_view architecture = gguf_architecture(c.model_type);
  if (!fields.has("general.architecture")) fields.put_string("general.architecture", architecture);
  GgufKeys keys(fields, architecture);
  keys.needed("vocab_size", c.vocab_size, large);
  visit(keys, c, nullptr);
  if (c.local_rope_parameters) keys("rope.freq_base_swa", c.local_rope_parameters->rope_theta);
  return gguf_rope_factors(c);
}

void require_said(const ModelConfig& config, const ModelConfig& found) {
  ModelConfig wanted = complete_config(config);
  GgufKeys rounding;
  visit(rounding, wanted, nullptr);
  if (wanted.local_rope_parameters) rounding("", wanted.local_rope_parameters->rope_theta);
  wanted = essence(wanted, config);
  const ModelConfig said = essence(found, config);
  if (said == wanted) return;
  const std::vector<std::string> keys = changed_keys(to_value(wanted), to_value(said));
  fail(
      "GGUF cannot say all of this model; it would be read with other values of: {}",
      keys.empty() ? "what follows from its model_type" : fmt::format("{}", fmt::join(keys, ", ")));
}

}  // namespace lathe
