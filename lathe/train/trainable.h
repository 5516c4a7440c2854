#pragma once

#include <string>
#include <vector>

#include "lathe/model/model.h"

namespace lathe {

/// The weights that a run changes. Each entry of `chosen` adds some:
///   all              every weight
///   head             the output layer (with tied embeddings that is the embedding itself)
///   last_layers(n)   the last n layers
///   a pattern        names with * and ?, such as "model.norm.weight" or "*.self_attn.*"
/// In the order of Model::named_tensors. Throws Error for an entry that means no weight, and for no
/// entry at all.
std::vector<NamedTensor> trainable_weights(Model& model, const std::vector<std::string>& chosen);

}  // namespace lathe
