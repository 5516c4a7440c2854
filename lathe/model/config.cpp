#include "lathe/model/config.h"

#include <cmath>

#include "lathe/base/error.h"

namespace lathe {

void RopeParameters::fields(Fields& f) {
  f("rope_type", rope_type, "How frequencies are scaled for contexts beyond those trained on.",
    {.choices = {"default", "linear", "dynamic", "yarn", "longrope", "llama3"},
     .aliases = {"type"}});
  f("rope_theta", rope_theta, "Base of the wavelengths.", {.above = 0});
  f("factor", factor, "How many times longer the context becomes.", {.above = 0});
  f("original_max_position_embeddings", original_max_position_embeddings,
    "Context length before scaling.", {.minimum = 1});
  f("low_freq_factor", low_freq_factor, "llama3: waves longer than context / this are scaled.",
    {.above = 0, .advanced = true});
  f("high_freq_factor", high_freq_factor, "llama3: waves shorter than context / this are kept.",
    {.above = 0, .advanced = true});
  f("beta_fast", beta_fast, "yarn: rotations above which frequencies are kept (32).",
    {.above = 0, .advanced = true});
  f("beta_slow", beta_slow, "yarn: rotations below which frequencies are scaled (1).",
    {.above = 0, .advanced = true});
  f("attention_factor", attention_factor, "yarn, longrope: factor on cosines and sines.",
    {.above = 0, .advanced = true});
  f("mscale", mscale, "yarn: numerator of the attention factor.", {.advanced = true});
  f("mscale_all_dim", mscale_all_dim, "yarn: denominator of the attention factor.",
    {.advanced = true});
  f("truncate", truncate, "yarn: whether the range of dimensions is rounded (true).",
    {.advanced = true});
  f("short_factor", short_factor, "longrope: a factor for each frequency, short texts.",
    {.above = 0, .advanced = true});
  f("long_factor", long_factor, "longrope: a factor for each frequency, long texts.",
    {.above = 0, .advanced = true});
}

void ModelConfig::fields(Fields& f) {
  f("model_type", model_type, "Family of the model.", {.choices = {"llama"}});
  f("vocab_size", vocab_size, "Number of tokens; by default that of the tokenizer.",
    {.minimum = 0, .maximum = 1 << 24});
  f("hidden_size", hidden_size, "Width of the residual stream.",
    {.minimum = 1, .maximum = 1 << 20});
  f("intermediate_size", intermediate_size, "Width of the MLP.",
    {.minimum = 1, .maximum = 1 << 22});
  f("num_hidden_layers", num_hidden_layers, "Number of layers.", {.minimum = 1, .maximum = 4096});
  f("num_attention_heads", num_attention_heads, "Heads of queries.",
    {.minimum = 1, .maximum = 1 << 16});
  f("num_key_value_heads", num_key_value_heads,
    "Heads of keys and values; fewer than queries means grouped-query attention.",
    {.minimum = 1, .maximum = 1 << 16});
  f("head_dim", head_dim, "Elements a head; by default hidden_size / num_attention_heads.",
    {.minimum = 2, .maximum = 1 << 16});
  f("max_position_embeddings", max_position_embeddings, "Longest context.",
    {.minimum = 1, .maximum = int64_t{1} << 40, .unit = "tokens"});
  f("rms_norm_eps", rms_norm_eps, "Added to the mean square before its root.", {.above = 0});
  f("initializer_range", initializer_range, "Standard deviation of initial weights.",
    {.minimum = 0, .maximum = 1});
  f("tie_word_embeddings", tie_word_embeddings, "Use the input embedding as output layer too.");
  f("attention_bias", attention_bias, "Biases in the attention's linear layers.");
  f("mlp_bias", mlp_bias, "Biases in the MLP's linear layers.");
  f("rope_parameters", rope_parameters, "Rotary position embedding.",
    {.aliases = {"rope_scaling"}});
  f("bos_token_id", bos_token_id, "Token that begins a text; by default that of the tokenizer.",
    {.minimum = 0, .advanced = true});
  f("eos_token_id", eos_token_id, "Tokens that end a text; by default that of the tokenizer.",
    {.minimum = 0, .advanced = true});
  f("pad_token_id", pad_token_id, "Token that fills rows; by default that of the tokenizer.",
    {.minimum = 0, .advanced = true});
}

void ModelConfig::check() const {
  const auto needed = [](const char* name, int64_t value) {
    require(value > 0, "\"{}\": expected an integer >= 1, found {}", name, value);
  };
  needed("hidden_size", hidden_size);
  needed("intermediate_size", intermediate_size);
  needed("num_hidden_layers", num_hidden_layers);
  needed("num_attention_heads", num_attention_heads);
  require(head_dim || hidden_size % num_attention_heads == 0,
          "\"hidden_size\": expected a multiple of num_attention_heads {}, found {}",
          num_attention_heads, hidden_size);
  require(head_size() % 2 == 0, "\"head_dim\": expected an even number, found {}", head_size());
  require(num_attention_heads % key_value_heads() == 0,
          "\"num_key_value_heads\": expected a divisor of num_attention_heads {}, found {}",
          num_attention_heads, key_value_heads());
  const RopeParameters& rope = rope_parameters;
  const auto wanted = [&](const char* name, bool given) {
    require(given, "\"rope_parameters.{}\": needed by rope_type {}, but missing", name,
            rope.rope_type);
  };
  if (rope.rope_type == "linear" || rope.rope_type == "dynamic" || rope.rope_type == "llama3")
    wanted("factor", rope.factor.has_value());
  if (rope.rope_type == "llama3") {
    wanted("low_freq_factor", rope.low_freq_factor.has_value());
    wanted("high_freq_factor", rope.high_freq_factor.has_value());
    wanted("original_max_position_embeddings", rope.original_max_position_embeddings.has_value());
  }
  if (rope.rope_type == "longrope") {
    for (const auto* factors : {&rope.short_factor, &rope.long_factor})
      require(static_cast<int64_t>(factors->size()) == head_size() / 2,
              "\"rope_parameters.short_factor\" and \"long_factor\": expected {} numbers, found {}",
              head_size() / 2, factors->size());
  }
}

}  // namespace lathe
