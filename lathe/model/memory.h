#pragma once

#include <cstdint>

#include "lathe/model/config.h"

namespace lathe {

/// Bytes that a step of training takes, by what they are for.
struct TrainingMemory {
  uint64_t weights, gradients, moments;  ///< float32
  uint64_t activations;                  ///< kept from the forward to the backward pass, bfloat16
  uint64_t loss;                         ///< logits of a chunk, and what their gradient needs

  uint64_t total() const { return weights + gradients + moments + activations + loss; }
};

/// What training all `parameters` of a model takes, in batches of `rows` texts of `positions`
/// tokens. An estimate: it counts the tensors that layers keep, not what the allocator loses.
TrainingMemory training_memory(const ModelConfig& config, int64_t parameters, int64_t rows,
                               int64_t positions, bool gradient_checkpointing);

}  // namespace lathe
