#include "lathe/model/config.h"

#include <algorithm>
#include <cmath>

#include "lathe/base/error.h"
#include "lathe/ops/activation.h"

namespace lathe {

namespace {

constexpr int64_t most_experts_in_all = 1 << 17;

}  // namespace

void RopeParameters::fields(Fields& f) {
  f("rope_type", rope_type, "How frequencies are scaled for contexts beyond those trained on.",
    {.choices = {std::begin(rope_types), std::end(rope_types)}, .aliases = {"type"}});
  f("rope_theta", rope_theta, "Base of the wavelengths.", {.above = 0});
  f("partial_rotary_factor", partial_rotary_factor, "Part of each head that is rotated.",
    {.above = 0, .maximum = 1, .advanced = true});
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

bool RopeParameters::compares_with_original() const {
  return rope_type == "llama3" || rope_type == "yarn" || rope_type == "longrope";
}

void RopeParameters::check(int64_t rotated) const {
  const auto wanted = [&](const char* name, bool given) {
    require(given, "\"rope_parameters.{}\": needed by rope_type {}, but missing", name, rope_type);
  };
  require(rotated >= 2 && rotated % 2 == 0,
          "rotary embedding: expected an even number of elements a head, found {} (head_dim times "
          "partial_rotary_factor)",
          rotated);
  if (rope_type == "linear" || rope_type == "dynamic" || rope_type == "llama3")
    wanted("factor", factor.has_value());
  if (rope_type == "llama3") {
    wanted("low_freq_factor", low_freq_factor.has_value());
    wanted("high_freq_factor", high_freq_factor.has_value());
    wanted("original_max_position_embeddings", original_max_position_embeddings.has_value());
  }
  if (rope_type == "longrope") {
    for (const auto* factors : {&short_factor, &long_factor})
      require(static_cast<int64_t>(factors->size()) == rotated / 2,
              "\"rope_parameters.short_factor\" and \"long_factor\": expected {} numbers, found {}",
              rotated / 2, factors->size());
  }
}

int64_t ModelConfig::rotated_size(const RopeParameters& rope) const {
  return static_cast<int64_t>(static_cast<double>(head_size()) * rope.partial_rotary_factor);
}

bool ModelConfig::is_local(int64_t layer) const {
  if (layer_types.empty()) return sliding_window.has_value();
  return layer_types.at(static_cast<size_t>(layer)) == sliding_attention;
}

bool ModelConfig::has_local_layers() const {
  if (layer_types.empty()) return sliding_window.has_value();
  return std::find(layer_types.begin(), layer_types.end(), sliding_attention) != layer_types.end();
}

bool ModelConfig::has_experts(int64_t layer) const {
  return num_experts > 0 && (layer + 1) % decoder_sparse_step == 0 &&
         std::find(mlp_only_layers.begin(), mlp_only_layers.end(), layer) == mlp_only_layers.end();
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
  require(num_attention_heads % key_value_heads() == 0,
          "\"num_key_value_heads\": expected a divisor of num_attention_heads {}, found {}",
          num_attention_heads, key_value_heads());
  const auto one_a_layer = [&](const char* name, size_t count) {
    require(count == 0 || static_cast<int64_t>(count) == num_hidden_layers,
            "\"{}\": expected one for each of {} layers, found {}", name, num_hidden_layers, count);
  };
  one_a_layer("layer_types", layer_types.size());
  one_a_layer("no_rope_layers", no_rope_layers.size());
  for (const std::string& type : layer_types)
    require(type == full_attention || type == sliding_attention,
            "\"layer_types\": only {} and {} are computed, found {}", full_attention,
            sliding_attention, type);
  require(!has_local_layers() || sliding_window,
          "\"sliding_window\": needed by layer_types {}, but missing", sliding_attention);
  require(!sliding_window || *sliding_window > 0,
          "\"sliding_window\": expected an integer >= 1, found {}", sliding_window.value_or(0));
  if (!hidden_act.empty()) {
    const Context reading("\"hidden_act\"");
    ops::activation_named(hidden_act);
  }
  if (num_experts > 0)
    require(num_experts_per_tok.value_or(0) >= 1 && *num_experts_per_tok <= num_experts,
            "\"num_experts_per_tok\": expected an integer from 1 to num_experts {}, found {}",
            num_experts, num_experts_per_tok.value_or(0));
  // Each expert of each layer is a few tensors, which are described before any file is looked into.
  require(num_experts <= most_experts_in_all / num_hidden_layers,
          "\"num_experts\": expected at most {} in all layers together, found {} in each of {}",
          most_experts_in_all, num_experts, num_hidden_layers);
  if (learned_positions) return;
  rope_parameters.check(rotated_size(rope_parameters));
  if (!local_rope_parameters) return;
  local_rope_parameters->check(rotated_size(*local_rope_parameters));
  const std::string& type = local_rope_parameters->rope_type;
  require(type != "dynamic" && type != "longrope",
          "\"rope_parameters\": rope_type {} is not computed for layers that see a window only",
          type);
}

}  // namespace lathe
