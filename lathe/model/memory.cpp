#include "lathe/model/memory.h"

#include <algorithm>

namespace lathe {
namespace {

constexpr TrainingMethod methods[] = {
    {.name = "all weights"},
    {.name = "all weights, gradient_checkpointing", .gradient_checkpointing = true},
    {.name = "all weights, bf16: false", .bf16 = false},
    {.name = "all weights, bf16: false, gradient_checkpointing",
     .bf16 = false,
     .gradient_checkpointing = true},
};

constexpr double wide = 4;  // bytes of a float32

/// Bytes of a token in all layers: `number` is what one in the compute dtype takes.
double bytes_kept(const Model& model, const TrainingMethod& method, double number) {
  double all = 0, most = 0;
  const std::vector<Kept> layers = model.kept();
  for (const Kept& layer : layers) {
    const double bytes =
        static_cast<double>(layer.numbers) * number + static_cast<double>(layer.wide) * wide;
    all += bytes;
    most = std::max(most, bytes);
  }
  if (!method.gradient_checkpointing) return all;
  // What each layer reads, and all of the one that is at work.
  const auto reads = static_cast<double>(model.config().hidden_size);
  return static_cast<double>(layers.size()) * reads * number + most;
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
  const auto parameters = static_cast<double>(model.parameter_count());
  const double tokens = static_cast<double>(rows) * static_cast<double>(positions);
  const double number = method.bf16 ? 2 : wide;
  // The gradient of the output layer, which is rounded to compute with, and what the last norm
  // reads and gets back.
  const double loss = std::min(tokens, rows_of_logits) * vocabulary * number +
                      vocabulary * width * (method.bf16 ? wide + number : wide) +
                      2 * tokens * width * number;
  return {.weights = whole(wide * parameters),
          .gradients = whole(wide * parameters),
          .moments = whole(2 * wide * parameters),
          .activations = whole(tokens * bytes_kept(model, method, number)),
          .loss = whole(loss)};
}

}  // namespace lathe
