#pragma once

#include <vector>

#include "lathe/model/model.h"

namespace lathe {

/// Throws Error for a token that the model does not know.
void require_known_tokens(const std::vector<int64_t>& tokens, const Model& model);

/// Rows of tokens as one batch for `model`, padded at the end: (B, longest). What stands behind a
/// row is seen by nobody. Throws Error for a token that the model does not know.
ModelInput padded(const std::vector<std::vector<int64_t>>& rows, Model& model);

/// Reads on in each row of a cache, with the adapter of each if there are any; returns the hidden
/// state after each, (B, hidden_size).
Tensor read_rows(Model& model, const std::vector<std::vector<int64_t>>& rows, KvCache& cache,
                 const std::vector<int64_t>& adapters = {});

}  // namespace lathe
