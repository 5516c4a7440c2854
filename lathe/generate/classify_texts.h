#pragma once

#include <span>
#include <string>

#include "lathe/model/model.h"
#include "lathe/text/tokenizer.h"

namespace lathe {

/// What a classifier (or regression) says of texts, read as one batch: (N, outputs) float32 on the
/// CPU. Of a text longer than the model's context the beginning is read.
Tensor classify_texts(Model& model, const Tokenizer& tokenizer, std::span<const std::string> texts);

}  // namespace lathe
