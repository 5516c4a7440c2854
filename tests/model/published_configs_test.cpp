// The keys that published models have in their config.json: none of them is refused, and they mean
// what they mean to transformers.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lathe/io/json.h"
#include "lathe/model/config.h"

namespace lathe {
namespace {

ModelConfig read_published(const char* text) {
  return read_model_config(parse_json(text));
}

TEST(PublishedConfigs, llama_3_2) {
  const ModelConfig c =
      read_published(R"({"architectures": ["LlamaForCausalLM"], "attention_bias": false,
    "attention_dropout": 0.0, "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009],
    "head_dim": 64, "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02,
    "intermediate_size": 8192, "max_position_embeddings": 131072, "mlp_bias": false,
    "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 16,
    "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_scaling":
    {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
    "original_max_position_embeddings": 8192, "rope_type": "llama3"}, "rope_theta": 500000.0,
    "tie_word_embeddings": true, "torch_dtype": "bfloat16", "transformers_version": "4.45.0.dev0",
    "use_cache": true, "vocab_size": 128256})");
  EXPECT_EQ(c.rope_parameters.rope_type, "llama3");
  EXPECT_EQ(c.rope_parameters.original_max_position_embeddings, 8192);
  EXPECT_EQ(c.eos_token_id.size(), 3U);
}

TEST(PublishedConfigs, smollm2) {
  const ModelConfig c =
      read_published(R"({"architectures": ["LlamaForCausalLM"], "attention_bias": false,
    "attention_dropout": 0.0, "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu",
    "hidden_size": 576, "initializer_range": 0.041666666666666664, "intermediate_size": 1536,
    "is_llama_config": true, "max_position_embeddings": 8192, "mlp_bias": false,
    "model_type": "llama", "num_attention_heads": 9, "num_hidden_layers": 30,
    "num_key_value_heads": 3, "pad_token_id": 2, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
    "rope_interleaved": false, "rope_scaling": null, "rope_theta": 100000,
    "tie_word_embeddings": true, "torch_dtype": "bfloat16",
    "transformers.js_config": {"kv_cache_dtype": {"q4f16": "float16"}},
    "transformers_version": "4.42.3", "use_cache": true, "vocab_size": 49152})");
  EXPECT_EQ(c.head_size(), 64);
}

TEST(PublishedConfigs, smollm3) {
  const ModelConfig c =
      read_published(R"({"architectures": ["SmolLM3ForCausalLM"], "attention_bias": false,
    "attention_dropout": 0.0, "eos_token_id": 128012, "hidden_act": "silu", "hidden_size": 2048,
    "initializer_range": 0.02, "intermediate_size": 11008, "max_position_embeddings": 65536,
    "max_window_layers": 28, "mlp_bias": false, "model_type": "smollm3",
    "no_rope_layer_interval": 4, "num_attention_heads": 16, "num_hidden_layers": 36,
    "num_key_value_heads": 4, "pad_token_id": 128004, "pretraining_tp": 2, "rms_norm_eps": 1e-06,
    "rope_scaling": null, "rope_theta": 5000000.0, "sliding_window": null,
    "torch_dtype": "bfloat16", "transformers_version": "4.54.0.dev0", "use_cache": false,
    "use_sliding_window": false, "vocab_size": 128256})");
  EXPECT_TRUE(c.tie_word_embeddings);  // by default in this family
  EXPECT_EQ(c.no_rope_layers.at(3), 0);
  EXPECT_EQ(c.no_rope_layers.at(4), 1);
  EXPECT_FALSE(c.has_local_layers());
}

TEST(PublishedConfigs, qwen_2_5) {
  const ModelConfig c =
      read_published(R"({"architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0,
    "bos_token_id": 151643, "eos_token_id": 151645, "hidden_act": "silu", "hidden_size": 896,
    "initializer_range": 0.02, "intermediate_size": 4864, "max_position_embeddings": 32768,
    "max_window_layers": 21, "model_type": "qwen2", "num_attention_heads": 14,
    "num_hidden_layers": 24, "num_key_value_heads": 2, "rms_norm_eps": 1e-06,
    "rope_theta": 1000000.0, "sliding_window": 32768, "tie_word_embeddings": true,
    "torch_dtype": "bfloat16", "transformers_version": "4.43.1", "use_cache": true,
    "use_mrope": false, "use_sliding_window": false, "vocab_size": 151936})");
  EXPECT_TRUE(c.qkv_bias);
  EXPECT_FALSE(c.sliding_window);
}

TEST(PublishedConfigs, gemma_2) {
  const ModelConfig c =
      read_published(R"({"architectures": ["Gemma2ForCausalLM"], "attention_bias": false,
    "attention_dropout": 0.0, "attn_logit_softcapping": 50.0, "bos_token_id": 2,
    "cache_implementation": "hybrid", "eos_token_id": [1, 107], "final_logit_softcapping": 30.0,
    "head_dim": 256, "hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh",
    "hidden_size": 2304, "initializer_range": 0.02, "intermediate_size": 9216,
    "max_position_embeddings": 8192, "model_type": "gemma2", "num_attention_heads": 8,
    "num_hidden_layers": 26, "num_key_value_heads": 4, "pad_token_id": 0,
    "query_pre_attn_scalar": 256, "rms_norm_eps": 1e-06, "rope_theta": 10000.0,
    "sliding_window": 4096, "sliding_window_size": 4096, "torch_dtype": "bfloat16",
    "transformers_version": "4.42.4", "use_cache": true, "vocab_size": 256000})");
  EXPECT_TRUE(c.tie_word_embeddings);
  EXPECT_TRUE(c.is_local(0));
  EXPECT_FALSE(c.is_local(1));
  EXPECT_EQ(c.final_logit_softcapping, 30);
}

TEST(PublishedConfigs, gemma_3_text) {
  const ModelConfig c = read_published(R"({"_sliding_window_pattern": 6, "architectures":
    ["Gemma3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
    "attn_logit_softcapping": null, "bos_token_id": 2, "cache_implementation": "hybrid",
    "eos_token_id": [1, 106], "final_logit_softcapping": null, "head_dim": 256,
    "hidden_activation": "gelu_pytorch_tanh", "hidden_size": 1152, "initializer_range": 0.02,
    "intermediate_size": 6912, "max_position_embeddings": 32768, "model_type": "gemma3_text",
    "num_attention_heads": 4, "num_hidden_layers": 26, "num_key_value_heads": 1,
    "pad_token_id": 0, "query_pre_attn_scalar": 256, "rms_norm_eps": 1e-06,
    "rope_local_base_freq": 10000, "rope_scaling": null, "rope_theta": 1000000,
    "sliding_window": 512, "sliding_window_pattern": 6, "torch_dtype": "bfloat16",
    "transformers_version": "4.50.0.dev0", "use_bidirectional_attention": false,
    "use_cache": true, "vocab_size": 262144})");
  EXPECT_EQ(c.rope_parameters.rope_theta, 1000000);
  EXPECT_EQ(c.local_rope_parameters->rope_theta, 10000);
  EXPECT_TRUE(c.is_local(4));
  EXPECT_FALSE(c.is_local(5));
  EXPECT_FALSE(c.attn_logit_softcapping);
}

TEST(PublishedConfigs, phi_3_mini) {
  const ModelConfig c =
      read_published(R"({"_name_or_path": "Phi-3-mini-4k-instruct", "architectures":
    ["Phi3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "auto_map":
    {"AutoConfig": "configuration_phi3.Phi3Config"}, "bos_token_id": 1, "embd_pdrop": 0.0,
    "eos_token_id": 32000, "hidden_act": "silu", "hidden_size": 3072, "initializer_range": 0.02,
    "intermediate_size": 8192, "max_position_embeddings": 4096, "model_type": "phi3",
    "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 32,
    "original_max_position_embeddings": 4096, "pad_token_id": 32000, "resid_pdrop": 0.0,
    "rms_norm_eps": 1e-05, "rope_scaling": null, "rope_theta": 10000.0, "sliding_window": 2047,
    "tie_word_embeddings": false, "torch_dtype": "bfloat16", "transformers_version": "4.40.2",
    "use_cache": true, "vocab_size": 32064})");
  EXPECT_EQ(c.sliding_window, 2047);
  EXPECT_TRUE(c.fused_projections);
  EXPECT_FALSE(c.rope_parameters.original_max_position_embeddings);
}

TEST(PublishedConfigs, mistral_7b) {
  const ModelConfig first =
      read_published(R"({"architectures": ["MistralForCausalLM"], "bos_token_id": 1,
    "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
    "intermediate_size": 14336, "max_position_embeddings": 32768, "model_type": "mistral",
    "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
    "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "sliding_window": 4096,
    "tie_word_embeddings": false, "torch_dtype": "bfloat16", "transformers_version":
    "4.34.0.dev0", "use_cache": true, "vocab_size": 32000})");
  EXPECT_TRUE(first.is_local(31));
  const ModelConfig third =
      read_published(R"({"hidden_size": 4096, "intermediate_size": 14336, "model_type":
    "mistral", "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
    "rope_theta": 1000000.0, "sliding_window": null, "vocab_size": 32768})");
  EXPECT_FALSE(third.has_local_layers());
}

}  // namespace
}  // namespace lathe
