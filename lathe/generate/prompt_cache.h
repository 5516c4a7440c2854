#pragma once

#include "lathe/model/model.h"

namespace lathe {

/// What a model has read and written, so that a later prompt that begins the same goes on from
/// there: the next turn of a conversation, the next question behind the same examples.
struct PromptCache {
  KvCache cache;
  std::vector<int64_t> tokens;  ///< those whose keys and values the cache holds
};

/// Reads what `kept` does not hold of one prompt, and makes room for `slots` positions; returns the
/// hidden state after it, (1, hidden_size).
Tensor read_further(Model& model, const std::vector<int64_t>& prompt, int64_t slots,
                    PromptCache& kept);

}  // namespace lathe
