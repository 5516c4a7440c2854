// Rows to evaluate on: every document once, in order, each as if it stood alone.
#pragma once

#include <cstdint>
#include <optional>

#include "lathe/data/document_set.h"
#include "lathe/data/row.h"

namespace lathe {

/// A pass over documents in batches, for this rank's share of the rows. With packing a row holds as
/// many documents as fit whole, so that what a document scores does not depend on its neighbours.
/// One longer than max_length is cut into parts of max_length tokens, of which each begins with the
/// last token of the part before; so every token but a document's first is a target exactly once.
/// Where a tokenizer has no bos, that first token is text that nothing predicts.
class EvaluationBatches {
 public:
  /// The set may be empty: then there are no batches. `truncation` has no meaning here.
  EvaluationBatches(DocumentSet documents, const RowOptions& options);

  /// The next batch, of at most batch_size rows; nothing at the end.
  std::optional<Batch> next();
  /// Starts again.
  void rewind();
  uint64_t documents() const { return documents_.size(); }

 private:
  Row next_row();

  DocumentSet documents_;
  RowOptions options_;
  uint64_t document_ = 0;
  uint64_t offset_ = 0;
  uint64_t row_ = 0;
};

}  // namespace lathe
