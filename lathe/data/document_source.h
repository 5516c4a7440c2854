// Training rows out of documents: the data set as a Source.
//
// Every row has one pool of documents as its source. The pool of row i is that whose share of [0,
// 1) holds the fractional part of phase + i * golden ratio, so that the numbers of rows stay as
// close to the weights as can be at every moment, and do not depend on what came before. Each pool
// is walked in a stream of its own. With packing a row takes max_length tokens from it, and a
// document that does not fit goes on in the pool's next row: nothing is dropped or padded. Without
// packing a row takes one document, or max_length tokens of it. Documents that are learned in parts
// (answers to prompts) are never cut: a row takes those that fit whole.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "lathe/data/document_set.h"
#include "lathe/data/document_stream.h"
#include "lathe/data/row.h"
#include "lathe/data/source.h"

namespace lathe {

/// Documents that are shuffled together, with their share of the rows.
struct Pool {
  DocumentSet documents;
  double weight = 1;
};

/// How many rows the documents fill, not in whole numbers where rows are filled across documents.
double rows_that_fill(const DocumentSet& documents, const RowOptions& options);

/// Documents as training batches. All is a pure function of the seed and the number of the row; all
/// ranks walk all rows, and keep their own.
///
/// One epoch is as many rows as all tokens of all pools fill, whatever their weights: with one pool
/// every token appears exactly once in it, with several each pool has epochs of its own.
class DocumentSource final : public Source {
 public:
  /// Throws Error if there is no pool, a pool is empty or a weight is not above 0.
  DocumentSource(std::vector<Pool> pools, const RowOptions& options, uint64_t seed, bool shuffle);

  std::vector<Batch> next(int64_t micro_batches) override;
  nlohmann::json state() const override;
  void restore(const nlohmann::json& state) override;
  double epoch() const override;
  int64_t rows_per_epoch() const override { return rows_per_epoch_; }

 private:
  size_t pool_of_row(uint64_t row) const;
  Row next_row();

  RowOptions options_;
  std::vector<DocumentStream> streams_;
  std::vector<double> bounds_;  // upper ends of the pools' shares of [0, 1)
  uint64_t phase_;
  uint64_t row_ = 0;
  int64_t rows_per_epoch_ = 0;
  std::string fingerprint_;
};

}  // namespace lathe
