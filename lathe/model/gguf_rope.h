// Rotary embedding in GGUF files.
#pragma once

#include "lathe/model/gguf_config.h"
#include "lathe/model/gguf_keys.h"

namespace lathe {

/// Walks over the keys rope.*. `contents` is for reading, and gives the factors on frequencies.
void visit_gguf_rope(GgufKeys& keys, ModelConfig& config, const GgufContents* contents);

/// The tensors of factors that a model's rotary embedding needs.
std::vector<GgufFactors> gguf_rope_factors(const ModelConfig& config);

}  // namespace lathe
