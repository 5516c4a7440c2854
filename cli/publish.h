#pragma once

#include "cli/recipe.h"
#include "lathe/adapt/adapter.h"
#include "lathe/base/file.h"
#include "lathe/model/model.h"
#include "lathe/text/tokenizer.h"

namespace lathe {

/// Writes a model, and its tokenizer if there is one, to `directory` in one step, in place of what
/// is there.
void publish_model(Model& model, const Tokenizer* tokenizer, const fs::path& directory);

/// Writes the model and its tokenizer, if any, to a GGUF file; `quant`: a format, or auto.
void publish_gguf(Model& model, const std::optional<Tokenizer>& tokenizer, const std::string& name,
                  const std::string& quant, const fs::path& file);

/// Writes what a run in `folder` has trained: the adapter to folder/adapter, several to
/// folder/adapter/NAME, or folder/adapter/1 and so on, or else the model to folder/model. Returns
/// what to tell of it.
std::string publish_result(const Recipe& recipe, Model& model,
                           const std::vector<std::unique_ptr<Adapter>>& adapters,
                           const Tokenizer& tokenizer, const fs::path& folder);

}  // namespace lathe
