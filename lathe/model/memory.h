#pragma once

#include <cstdint>
#include <span>

#include "lathe/model/model.h"

namespace lathe {

/// A way to train, as far as memory depends on it.
struct TrainingMethod {
  const char* name;  ///< in the words of a recipe
  bool bf16 = true;
  bool gradient_checkpointing = false;
  int64_t last_layers = 0;    ///< so many are trained; 0: all weights
  int64_t lora_rank = 0;      ///< of matrices beside all linear layers, which alone are trained
  bool load_in_4bit = false;  ///< the model's own are quantised
};

/// Those there are, the one with the least effort first.
std::span<const TrainingMethod> training_methods();

/// Bytes that a step of training takes, by what they are for.
struct TrainingMemory {
  uint64_t weights, gradients,
      moments;           ///< float32, or quantised; the latter two of what is trained
  uint64_t activations;  ///< kept from the forward to the backward pass
  uint64_t loss;         ///< logits of a chunk, and what their gradient needs

  uint64_t total() const { return weights + gradients + moments + activations + loss; }
};

/// What training takes in batches of `rows` texts of `positions` tokens; the model may be an
/// empty_model. An estimate: it counts the tensors that layers keep, not what the allocator loses,
/// nor what a layer needs for a moment.
TrainingMemory training_memory(Model& model, const TrainingMethod& method, int64_t rows,
                               int64_t positions);

}  // namespace lathe
