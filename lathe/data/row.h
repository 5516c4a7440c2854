// Rows of tokens put together from pieces of documents. Letters: B rows, T positions.
#pragma once

#include <cstdint>
#include <vector>

#include "lathe/data/batch.h"
#include "lathe/data/document_set.h"
#include "lathe/data/labels.h"

namespace lathe {

/// Tokens begin..begin+length-1 of a document.
struct RowPiece {
  DocumentRef document;
  uint64_t begin = 0;
  uint64_t length = 0;
};

/// A row: pieces one after the other, each a segment of its own.
using Row = std::vector<RowPiece>;

struct FrozenStates;

/// What a row is like.
struct RowOptions {
  int64_t max_length = 1024;  ///< tokens of a row, at least 2
  int64_t batch_size = 8;     ///< rows of a batch on each rank
  bool packing = true;        ///< several pieces a row; otherwise one
  bool truncation = false;    ///< without packing: a document is one row, what is longer is dropped
  int64_t pad_id = 0;         ///< the token that fills shorter rows
  std::shared_ptr<const LabelSet> labels = nullptr;      ///< of texts that are classified
  std::shared_ptr<const FrozenStates> states = nullptr;  ///< of texts, where some are kept
  std::vector<std::string> adapters = {};                ///< names, where each row has one
  int64_t rank = 0;                                      ///< takes the rows rank, rank + world, ...
  int64_t world = 1;
};

/// Throws Error for options out of range.
void check_row_options(const RowOptions& options);

/// The batch of these rows, on the CPU, about as wide as the longest of them. Targets are the
/// tokens that are learned, but the first of each piece. With labels, each piece that begins a text
/// has one; with adapters, all pieces of a row have the same. Throws Error if a cache is damaged.
Batch assemble_batch(const std::vector<Row>& rows, const RowOptions& options);

}  // namespace lathe
