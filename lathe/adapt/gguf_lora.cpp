#include "lathe/adapt/gguf_lora.h"

#include "lathe/adapt/lora.h"
#include "lathe/io/gguf.h"
#include "lathe/model/gguf_names.h"

namespace lathe {
namespace {

/// A and B of one module, the scale in B, in GGUF's layout.
struct Pair {
  std::string tensor;  // the weight that they are for
  Tensor a, b;         // (r, in), (out, r); at an embedding (V, r), (out, r)
};

Pair pair_of(const Model& model, const SiteModule& module) {
  const std::string& site = module.site().name;
  require(module.kind() == "lora", "{}: llama.cpp reads adapters of LoRA alone", site);
  const std::vector<Tensor> n = module.numbers();
  require(!n[Lora::factors].defined(), "{}: llama.cpp has no DoRA: merge the adapter instead",
          site);
  require(!n[Lora::up_bias].defined(),
          "{}: llama.cpp has no biases of adapters: merge the adapter instead", site);
  Tensor a = n[Lora::down].detach(), b = n[Lora::up].detach();
  if (n[Lora::down2].defined()) {
    a = at::cat({a, n[Lora::down2].detach()});
    b = at::cat({b, n[Lora::up2].detach()}, 1);
  }
  require(!model.ties_embeddings() || module.site().weight != &model.output_weight(),
          "{}: embedding and output layer are one, and llama.cpp would adapt both", site);
  GgufPlace place = gguf_place(model.config(), site + ".weight");
  require(!place.slice,
          "{}: adapters of single experts cannot be written for llama.cpp: leave experts out, or "
          "merge the adapter",
          site);
  if (module.site().kind == SiteKind::embedding) return {place.tensor, a.t(), b};
  // B has the rows of the weight as (out, in), and their order.
  if (place.layout == GgufLayout::transposed) place.layout = GgufLayout::same;
  return {place.tensor, a, to_gguf_layout(b, place)};
}

}  // namespace

void save_gguf_lora(Model& model, const Adapter& adapter, const fs::path& path) {
  const Context saving("writing {}", path.string());
  require(!adapter.has_weights_of_model(),
          "llama.cpp has no adapters with weights of the model itself (modules_to_save, bias, the "
          "output layer of a classifier): merge the adapter instead");
  require(!adapter.modules().empty(), "the adapter has nothing at any layer");
  std::vector<Tensor> tensors;
  std::vector<GgufTensorView> views;
  const auto add = [&](const std::string& name, const Tensor& tensor) {
    tensors.push_back(tensor.to(at::kCPU, at::kFloat).contiguous());
    views.push_back({name, &block_format("F32"), tensor.sizes().vec(), [bytes = tensors.back()] {
                       return std::as_bytes(std::span(bytes.const_data_ptr<float>(),
                                                      static_cast<size_t>(bytes.numel())));
                     }});
  };
  // llama.cpp multiplies by alpha / rank: with one alpha for all, the rest of a scale goes into B.
  double alpha = 0;
  for (const auto& module : adapter.modules()) {
    const Pair pair = pair_of(model, *module);
    const auto rank = static_cast<double>(pair.b.size(1));
    if (alpha == 0) alpha = rank;
    add(pair.tensor + ".lora_a", pair.a);
    add(pair.tensor + ".lora_b", pair.b * (rank / alpha));
  }
  GgufFields fields;
  fields.put_string("general.type", "adapter");
  fields.put_string("general.architecture", gguf_architecture(model.config().model_type));
  fields.put_string("general.name", adapter.options().name);
  fields.put_string("adapter.type", "lora");
  fields.put_float32("adapter.lora.alpha", static_cast<float>(alpha));
  write_gguf(path, fields, views);
}

}  // namespace lathe
