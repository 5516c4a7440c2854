// What a recipe may say of a new model.
#include "lathe/model/config.h"

namespace lathe {
namespace {

void size_fields(ModelConfig& c, Fields& f) {
  f("vocab_size", c.vocab_size, "Number of tokens; by default that of the tokenizer.",
    {.minimum = 0, .maximum = 1 << 24});
  f("hidden_size", c.hidden_size, "Width of the residual stream.",
    {.minimum = 1, .maximum = 1 << 20});
  f("intermediate_size", c.intermediate_size, "Width of the MLP.",
    {.minimum = 1, .maximum = 1 << 22});
  f("num_hidden_layers", c.num_hidden_layers, "Number of layers.", {.minimum = 1, .maximum = 4096});
  f("num_attention_heads", c.num_attention_heads, "Heads of queries.",
    {.minimum = 1, .maximum = 1 << 16});
  f("num_key_value_heads", c.num_key_value_heads,
    "Heads of keys and values; fewer than queries means grouped-query attention.",
    {.minimum = 1, .maximum = 1 << 16});
  f("head_dim", c.head_dim, "Elements a head; by default hidden_size / num_attention_heads.",
    {.minimum = 2, .maximum = 1 << 16});
  f("max_position_embeddings", c.max_position_embeddings, "Longest context.",
    {.minimum = 1, .maximum = longest_context, .unit = "tokens"});
}

void feature_fields(ModelConfig& c, Fields& f) {
  f("rms_norm_eps", c.rms_norm_eps, "Added to the mean square before its root.", {.above = 0});
  f("layer_norm_eps", c.layer_norm_eps, "Added to the variance before its root (GPT-2, GPT-NeoX).",
    {.above = 0, .aliases = {"layer_norm_epsilon"}, .advanced = true});
  f("initializer_range", c.initializer_range, "Standard deviation of initial weights.",
    {.minimum = 0, .maximum = 1});
  f("tie_word_embeddings", c.tie_word_embeddings, "Use the input embedding as output layer too.");
  f("attention_bias", c.attention_bias, "Biases in the attention's linear layers.");
  f("mlp_bias", c.mlp_bias, "Biases in the MLP's linear layers.");
  f("hidden_act", c.hidden_act, "Activation of the MLP; by default that of the family.",
    {.aliases = {"hidden_activation"}, .advanced = true});
  f("sliding_window", c.sliding_window, "Positions that a local layer sees, itself among them.",
    {.minimum = 1, .unit = "tokens", .advanced = true});
  f("layer_types", c.layer_types,
    "Which layers are local; by default the pattern of the family, or all if sliding_window is "
    "given.",
    {.choices = {full_attention, sliding_attention}, .advanced = true});
  f("no_rope_layers", c.no_rope_layers,
    "For each layer 1, or 0 where queries and keys are not rotated; by default the pattern of the "
    "family.",
    {.minimum = 0, .maximum = 1, .advanced = true});
  f("use_parallel_residual", c.use_parallel_residual,
    "GPT-NeoX: the MLP reads what attention reads, not what it leaves.", {.advanced = true});
  f("scale_attn_weights", c.scale_attn_weights,
    "GPT-2: attention scores are divided by the root of head_dim.", {.advanced = true});
  f("scale_attn_by_inverse_layer_idx", c.scale_attn_by_inverse_layer_idx,
    "GPT-2: attention scores are divided by the number of the layer.", {.advanced = true});
  f("query_pre_attn_scalar", c.query_pre_attn_scalar,
    "Attention scores are divided by its root; by default head_dim.",
    {.minimum = 1, .advanced = true});
  f("attn_logit_softcapping", c.attn_logit_softcapping, "Bound on attention scores, by tanh.",
    {.above = 0, .advanced = true});
  f("final_logit_softcapping", c.final_logit_softcapping, "Bound on logits, by tanh.",
    {.above = 0, .advanced = true});
}

void expert_fields(ModelConfig& c, Fields& f) {
  f("num_experts", c.num_experts, "Experts of a mixture of experts; 0 for one MLP a layer.",
    {.minimum = 0, .maximum = 1 << 16, .aliases = {"num_local_experts"}});
  f("num_experts_per_tok", c.num_experts_per_tok, "Experts that each token is sent to.",
    {.minimum = 1, .maximum = 1 << 16});
  f("moe_intermediate_size", c.moe_intermediate_size,
    "Width of an expert; by default intermediate_size.", {.minimum = 1, .maximum = 1 << 22});
  f("norm_topk_prob", c.norm_topk_prob,
    "Make the weights of a token's experts add up to 1; Mixtral always does.");
  f("router_aux_loss_coef", c.router_aux_loss_coef,
    "Weight of the loss that keeps experts equally busy.", {.minimum = 0});
  f("output_router_logits", c.output_router_logits,
    "Add that loss in training; by default if it has a weight.", {.advanced = true});
  f("decoder_sparse_step", c.decoder_sparse_step, "Every how many layers one has experts.",
    {.minimum = 1, .advanced = true});
  f("mlp_only_layers", c.mlp_only_layers, "Layers that have one MLP all the same, from 0.",
    {.minimum = 0, .advanced = true});
}

}  // namespace

void ModelConfig::fields(Fields& f) {
  f("model_type", model_type, "Family of the model.", {.choices = model_types()});
  size_fields(*this, f);
  feature_fields(*this, f);
  expert_fields(*this, f);
  f("rope_parameters", rope_parameters, "Rotary position embedding.",
    {.aliases = {"rope_scaling"}});
  f("local_rope_parameters", local_rope_parameters,
    "Rotary position embedding of local layers, if it differs.", {.advanced = true});
  f("bos_token_id", bos_token_id, "Token that begins a text; by default that of the tokenizer.",
    {.minimum = 0, .advanced = true});
  f("eos_token_id", eos_token_id, "Tokens that end a text; by default that of the tokenizer.",
    {.minimum = 0, .advanced = true});
  f("pad_token_id", pad_token_id, "Token that fills rows; by default that of the tokenizer.",
    {.minimum = 0, .advanced = true});
}

}  // namespace lathe
