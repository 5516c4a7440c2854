// Holding documents out for validation.
#pragma once

#include <cstdint>
#include <memory>

#include "lathe/data/document_set.h"

namespace lathe {

/// Whether a document belongs to the validation side: a function of its text's hash and the seed
/// alone. So equal texts are on one side, wherever they come from, and a document stays where it is
/// when others are added. `fraction` is the share of validation, [0, 1).
bool is_held_out(uint64_t text_hash, double fraction, uint64_t seed);

/// The two sides of a source.
struct Split {
  DocumentSet train;
  DocumentSet validation;
};
Split split_documents(std::shared_ptr<const TokenCache> cache, double fraction, uint64_t seed);

}  // namespace lathe
