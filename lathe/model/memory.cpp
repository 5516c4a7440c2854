#include "lathe/model/memory.h"

#include <algorithm>

namespace lathe {

TrainingMemory training_memory(const ModelConfig& c, int64_t parameters, int64_t rows,
                               int64_t positions, bool gradient_checkpointing) {
  constexpr int64_t wide = 4, narrow = 2;  // bytes of a float32, of a bfloat16
  constexpr int64_t rows_of_logits = 512;  // see linear_cross_entropy
  const int64_t tokens = rows * positions;
  // Of a token in a layer: the inputs of both norms and what they give; queries, keys, values and
  // the mixed values; the two halves of the gated MLP.
  const int64_t kept = narrow * (4 * c.hidden_size +
                                 2 * (c.num_attention_heads + c.key_value_heads()) * c.head_size() +
                                 2 * c.intermediate_size);
  const int64_t layers = gradient_checkpointing
                             ? c.num_hidden_layers * narrow * c.hidden_size + kept
                             : c.num_hidden_layers * kept;
  const int64_t loss = std::min(tokens, rows_of_logits) * c.vocab_size * narrow +
                       c.vocab_size * c.hidden_size * (wide + narrow) +
                       2 * tokens * c.hidden_size * narrow;
  const auto bytes = [](int64_t n) { return static_cast<uint64_t>(n); };
  return {.weights = bytes(wide * parameters),
          .gradients = bytes(wide * parameters),
          .moments = bytes(2 * wide * parameters),
          .activations = bytes(tokens * layers),
          .loss = bytes(loss)};
}

}  // namespace lathe
