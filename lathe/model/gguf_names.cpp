#include "lathe/model/gguf_names.h"

#include <algorithm>

#include "lathe/base/error.h"
#include "lathe/model/family/family.h"

namespace lathe {
namespace {

struct Architecture {
  std::string_view name, model_type;
};
constexpr Architecture architectures[] = {
    {"llama", "llama"},        {"llama", "mistral"}, {"llama", "mixtral"},
    {"smollm3", "smollm3"},    {"qwen2", "qwen2"},   {"qwen3", "qwen3"},
    {"qwen3moe", "qwen3_moe"}, {"gemma2", "gemma2"}, {"gemma3", "gemma3_text"},
    {"phi3", "phi3"},          {"olmo2", "olmo2"},   {"gpt2", "gpt2"},
    {"gptneox", "gpt_neox"},
};

bool norm_before_only(const ModelConfig& c) {
  return c.norm_placement == NormPlacement::before;
}

/// A module: its names, with "{}" for the numbers of layer and expert.
struct Module {
  std::string_view hugging_face, gguf;
  GgufLayout layout = GgufLayout::same;
  bool (*holds)(const ModelConfig&) = nullptr;  ///< where a name means two things; else always
};
constexpr Module modules[] = {
    {"model.embed_tokens", "token_embd"},
    {"model.norm", "output_norm"},
    {"lm_head", "output"},
    {"model.layers.{}.input_layernorm", "blk.{}.attn_norm"},
    {"model.layers.{}.post_attention_layernorm", "blk.{}.ffn_norm", GgufLayout::same,
     norm_before_only},
    {"model.layers.{}.post_attention_layernorm", "blk.{}.post_attention_norm"},
    {"model.layers.{}.pre_feedforward_layernorm", "blk.{}.ffn_norm"},
    {"model.layers.{}.post_feedforward_layernorm", "blk.{}.post_ffw_norm"},
    {"model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", GgufLayout::neighbours},
    {"model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", GgufLayout::neighbours},
    {"model.layers.{}.self_attn.v_proj", "blk.{}.attn_v"},
    {"model.layers.{}.self_attn.o_proj", "blk.{}.attn_output"},
    {"model.layers.{}.self_attn.qkv_proj", "blk.{}.attn_qkv"},
    {"model.layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm"},
    {"model.layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm"},
    {"model.layers.{}.mlp.gate_proj", "blk.{}.ffn_gate"},
    {"model.layers.{}.mlp.up_proj", "blk.{}.ffn_up"},
    {"model.layers.{}.mlp.gate_up_proj", "blk.{}.ffn_up"},
    {"model.layers.{}.mlp.down_proj", "blk.{}.ffn_down"},
    {"model.layers.{}.mlp.gate", "blk.{}.ffn_gate_inp"},
    {"model.layers.{}.mlp.experts.{}.gate_proj", "blk.{}.ffn_gate_exps"},
    {"model.layers.{}.mlp.experts.{}.up_proj", "blk.{}.ffn_up_exps"},
    {"model.layers.{}.mlp.experts.{}.down_proj", "blk.{}.ffn_down_exps"},
    {"model.layers.{}.block_sparse_moe.gate", "blk.{}.ffn_gate_inp"},
    {"model.layers.{}.block_sparse_moe.experts.{}.w1", "blk.{}.ffn_gate_exps"},
    {"model.layers.{}.block_sparse_moe.experts.{}.w3", "blk.{}.ffn_up_exps"},
    {"model.layers.{}.block_sparse_moe.experts.{}.w2", "blk.{}.ffn_down_exps"},

    {"transformer.wte", "token_embd"},
    {"transformer.wpe", "position_embd"},
    {"transformer.ln_f", "output_norm"},
    {"transformer.h.{}.ln_1", "blk.{}.attn_norm"},
    {"transformer.h.{}.attn.c_attn", "blk.{}.attn_qkv", GgufLayout::transposed},
    {"transformer.h.{}.attn.c_proj", "blk.{}.attn_output", GgufLayout::transposed},
    {"transformer.h.{}.ln_2", "blk.{}.ffn_norm"},
    {"transformer.h.{}.mlp.c_fc", "blk.{}.ffn_up", GgufLayout::transposed},
    {"transformer.h.{}.mlp.c_proj", "blk.{}.ffn_down", GgufLayout::transposed},

    {"gpt_neox.embed_in", "token_embd"},
    {"embed_out", "output"},
    {"gpt_neox.final_layer_norm", "output_norm"},
    {"gpt_neox.layers.{}.input_layernorm", "blk.{}.attn_norm"},
    {"gpt_neox.layers.{}.post_attention_layernorm", "blk.{}.ffn_norm"},
    {"gpt_neox.layers.{}.attention.query_key_value", "blk.{}.attn_qkv", GgufLayout::by_part},
    {"gpt_neox.layers.{}.attention.dense", "blk.{}.attn_output"},
    {"gpt_neox.layers.{}.mlp.dense_h_to_4h", "blk.{}.ffn_up"},
    {"gpt_neox.layers.{}.mlp.dense_4h_to_h", "blk.{}.ffn_down"},
};

/// A name taken apart: "model.layers.{}.mlp.up_proj", 3, "weight".
struct Name {
  std::string module, last;
  std::vector<int64_t> numbers;
};

Name take_apart(const std::string& weight) {
  Name name;
  size_t begin = 0;
  for (size_t dot; (dot = weight.find('.', begin)) != weight.npos; begin = dot + 1) {
    const std::string part = weight.substr(begin, dot - begin);
    const bool number = !part.empty() && part.size() <= 9 &&
                        std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
    if (number) name.numbers.push_back(std::stoll(part));
    name.module += (name.module.empty() ? "" : ".") + (number ? std::string("{}") : part);
  }
  name.last = weight.substr(begin);
  return name;
}

const Module& module_of(const ModelConfig& config, const Name& name, const std::string& weight) {
  for (const Module& module : modules)
    if (name.module == module.hugging_face && (module.holds == nullptr || module.holds(config)))
      return module;
  fail("GGUF has no name for the tensor {}", weight);
}

/// Whether rotary embedding turns neighbours in files of that architecture.
bool turns_neighbours(std::string_view architecture) {
  return architecture == "llama" || architecture == "smollm3";
}

}  // namespace

std::vector<std::string_view> gguf_architectures() {
  std::vector<std::string_view> names;
  for (const Architecture& a : architectures)
    if (names.empty() || names.back() != a.name) names.push_back(a.name);
  return names;
}

std::string_view gguf_architecture(std::string_view model_type) {
  for (const Architecture& a : architectures)
    if (a.model_type == model_type) return a.name;
  fail("models of type {} cannot be written as GGUF; supported architectures are {}", model_type,
       fmt::join(gguf_architectures(), ", "));
}

std::vector<std::string_view> gguf_model_types(std::string_view architecture) {
  std::vector<std::string_view> types;
  for (const Architecture& a : architectures)
    if (a.name == architecture) types.push_back(a.model_type);
  return types;
}

GgufPlace gguf_place(const ModelConfig& config, const std::string& weight) {
  const Name name = take_apart(weight);
  const Module& module = module_of(config, name, weight);
  GgufPlace place;
  place.tensor = module.gguf;
  if (const size_t layer = place.tensor.find("{}"); layer != std::string::npos)
    place.tensor.replace(layer, 2, std::to_string(name.numbers.at(0)));
  place.tensor += format(".{}", name.last);
  place.layout = module.layout;
  if (place.layout == GgufLayout::neighbours) {
    if (!turns_neighbours(gguf_architecture(config.model_type))) place.layout = GgufLayout::same;
    place.heads =
        name.module.ends_with("q_proj") ? config.num_attention_heads : config.key_value_heads();
  }
  if (place.layout == GgufLayout::by_part) place.heads = config.num_attention_heads;
  if (place.layout == GgufLayout::transposed && name.last != "weight")
    place.layout = GgufLayout::same;
  if (config.norm_offset != 0 && name.module.ends_with("norm")) place.layout = GgufLayout::plus_one;
  if (name.numbers.size() > 1) place.slice = name.numbers[1];
  return place;
}

namespace {

/// Swaps two ways to divide the rows of each head (or of all): (outer, inner) -> (inner, outer).
Tensor swap_rows(const Tensor& weight, std::vector<int64_t> rows, int64_t first, int64_t second) {
  std::vector<int64_t> shape = std::move(rows);
  for (int64_t i = 1; i < weight.dim(); ++i) shape.push_back(weight.size(i));
  return weight.reshape(shape).transpose(first, second).reshape(weight.sizes());
}

}  // namespace

Tensor to_gguf_layout(const Tensor& weight, const GgufPlace& place) {
  switch (place.layout) {
    case GgufLayout::same:
      return weight;
    case GgufLayout::neighbours:  // (heads, half, pair) -> (heads, pair, half)
      return swap_rows(weight, {place.heads, 2, -1}, 1, 2);
    case GgufLayout::plus_one:
      return weight + 1;
    case GgufLayout::transposed:
      return weight.t();
    case GgufLayout::by_part:  // (heads, part, element) -> (part, heads, element)
      return swap_rows(weight, {place.heads, 3, -1}, 0, 1);
  }
  return weight;
}

Tensor from_gguf_layout(const Tensor& weight, const GgufPlace& place) {
  switch (place.layout) {
    case GgufLayout::same:
      return weight;
    case GgufLayout::neighbours:
      return swap_rows(weight, {place.heads, -1, 2}, 1, 2);
    case GgufLayout::plus_one:
      return weight - 1;
    case GgufLayout::transposed:
      return weight.t();
    case GgufLayout::by_part:
      return swap_rows(weight, {3, place.heads, -1}, 0, 1);
  }
  return weight;
}

}  // namespace lathe
