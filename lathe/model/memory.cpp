#include "lathe/model/memory.h"

#include <algorithm>

#include "lathe/model/quantize.h"

namespace lathe {
namespace {

constexpr TrainingMethod methods[] = {
    {.name = "all weights"},
    {.name = "all weights, gradient_checkpointing", .gradient_checkpointing = true},
    {.name = "all weights, bf16: false", .bf16 = false},
    {.name = "all weights, bf16: false, gradient_checkpointing",
     .bf16 = false,
     .gradient_checkpointing = true},
    {.name = "adapter: {peft_type: LORA, r: 8}", .lora_rank = 8},
    {.name = "adapter: {peft_type: LORA, r: 8}, load_in_4bit",
     .lora_rank = 8,
     .load_in_4bit = true},
    {.name = "trainable: [last_layers(2)]", .last_layers = 2},
};

constexpr double wide = 4;  // bytes of a float32

std::vector<Site> linear_sites(Model& model) {
  std::vector<Site> sites = model.sites();
  std::erase_if(sites, [](const Site& site) { return site.kind != SiteKind::linear; });
  return sites;
}

/// The layers that keep something for the backward pass: those from the first that is trained.
std::vector<Kept> layers_at_work(const Model& model, const TrainingMethod& method) {
  std::vector<Kept> layers = model.kept();
  const auto count = static_cast<int64_t>(layers.size());
  if (method.last_layers > 0)
    layers.erase(layers.begin(), layers.end() - std::min(method.last_layers, count));
  return layers;
}

/// Bytes of a token in all layers: `number` is what one in the compute dtype takes.
double bytes_kept(Model& model, const TrainingMethod& method, double number) {
  double all = 0, most = 0;
  const std::vector<Kept> layers = layers_at_work(model, method);
  for (const Kept& layer : layers) {
    const double bytes =
        static_cast<double>(layer.numbers) * number + static_cast<double>(layer.wide) * wide;
    all += bytes;
    most = std::max(most, bytes);
  }
  if (method.lora_rank > 0)
    all += static_cast<double>(linear_sites(model).size() * static_cast<size_t>(method.lora_rank)) *
           number;
  if (!method.gradient_checkpointing) return all;
  // What each layer reads, and all of the one that is at work.
  const auto reads = static_cast<double>(model.config().hidden_size);
  return static_cast<double>(layers.size()) * reads * number + most;
}

/// How many numbers are trained.
double trained_numbers(Model& model, const TrainingMethod& method) {
  double count = 0;
  if (method.lora_rank > 0) {
    for (const Site& site : linear_sites(model))
      count += static_cast<double>(method.lora_rank) * static_cast<double>(site.in + site.out);
    return count;
  }
  const int64_t first =
      method.last_layers > 0 ? model.config().num_hidden_layers - method.last_layers : 0;
  for (const NamedTensor& weight : model.named_tensors())
    if (method.last_layers == 0 || layer_of(weight.name) >= std::max<int64_t>(0, first))
      count += static_cast<double>(weight.tensor->numel());
  return count;
}

/// Bytes of the weights.
double weight_bytes(Model& model, const TrainingMethod& method) {
  if (!method.load_in_4bit) return wide * static_cast<double>(model.parameter_count());
  const WeightQuantizer quantizer(model, WeightFormat::nf4);
  double bytes = 0;
  for (const NamedTensor& weight : model.named_tensors())
    bytes += quantizer.bits(*weight.tensor).value_or(8 * wide) / 8 *
             static_cast<double>(weight.tensor->numel());
  return bytes;
}

/// Sizes of a file or a command line may be anything.
uint64_t whole(double bytes) {
  return static_cast<uint64_t>(std::min(bytes, 1e18));
}

}  // namespace

std::span<const TrainingMethod> training_methods() {
  return methods;
}

TrainingMemory training_memory(Model& model, const TrainingMethod& method, int64_t rows,
                               int64_t positions) {
  constexpr double rows_of_logits = 512;  // see linear_cross_entropy
  const auto vocabulary = static_cast<double>(model.config().vocab_size);
  const auto width = static_cast<double>(model.config().hidden_size);
  const double tokens = static_cast<double>(rows) * static_cast<double>(positions);
  const double number = method.bf16 ? 2 : wide;
  // The output layer, which is rounded to compute with, and what the last norm reads and gets back.
  const bool rounds_output = method.bf16 && !method.load_in_4bit;  // else a part at a time
  const double loss = std::min(tokens, rows_of_logits) * vocabulary * number +
                      (rounds_output ? vocabulary * width * number : 0) +
                      2 * tokens * width * number;
  const double trained = wide * trained_numbers(model, method);
  return {.weights = whole(weight_bytes(model, method)),
          .gradients = whole(trained),
          .moments = whole(2 * trained),
          .activations = whole(tokens * bytes_kept(model, method, number)),
          .loss = whole(loss)};
}

}  // namespace lathe
