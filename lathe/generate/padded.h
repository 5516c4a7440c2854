#pragma once

#include <vector>

#include "lathe/model/model.h"

namespace lathe {

/// Throws Error for a token that the model does not know.
void require_known_tokens(const std::vector<int64_t>& tokens, const Model& model);

/// Rows of tokens as one batch for `model`, padded at the end: (B, longest). What stands behind a
/// row is seen by nobody. Throws Error for a token that the model does not know.
ModelInput padded(const std::vector<std::vector<int64_t>>& rows, Model& model);

/// Texts side by side in the rows of one batch, which is as wide as the longest of them.
struct PackedTexts {
  ModelInput input;           ///< each text sees itself alone
  std::vector<int64_t> ends;  ///< of each text, where its last token is among all (B*T) positions
};

/// Throws Error for a text without tokens, and for a token that the model does not know.
PackedTexts packed(const std::vector<std::vector<int64_t>>& texts, Model& model);

/// Reads on in each row of a cache, with the adapter of each if there are any; returns the hidden
/// state after each, (B, hidden_size).
Tensor read_rows(Model& model, const std::vector<std::vector<int64_t>>& rows, KvCache& cache,
                 const std::vector<int64_t>& adapters = {});

}  // namespace lathe
