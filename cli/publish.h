#pragma once

#include "lathe/base/file.h"
#include "lathe/model/model.h"
#include "lathe/text/tokenizer.h"

namespace lathe {

/// Writes a model, and its tokenizer if there is one, to `directory` in one step, in place of what
/// is there.
void publish_model(Model& model, const Tokenizer* tokenizer, const fs::path& directory);

}  // namespace lathe
