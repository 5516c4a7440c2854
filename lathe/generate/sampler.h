#pragma once

#include <span>

#include "lathe/base/random.h"
#include "lathe/base/tensor.h"
#include "lathe/model/generation_config.h"

namespace lathe {

/// Draws one token from logits (V), after repetition penalty, temperature, top-k, top-p and min-p
/// in transformers' order. `context` are the tokens before, prompt included; `logits` are
/// overwritten.
int64_t sample_token(std::span<float> logits, std::span<const int64_t> context,
                     const Sampling& sampling, Random& random);

}  // namespace lathe
