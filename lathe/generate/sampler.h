#pragma once

#include <span>

#include "lathe/base/random.h"
#include "lathe/base/tensor.h"
#include "lathe/generate/options.h"

namespace lathe {

/// Draws one token from logits (V), after repetition penalty, temperature, top-k, top-p and min-p
/// in transformers' order. `context` are the tokens before, prompt included; `logits` are
/// overwritten.
int64_t sample_token(std::span<float> logits, std::span<const int64_t> context,
                     const SamplingOptions& options, Random& random);

}  // namespace lathe
