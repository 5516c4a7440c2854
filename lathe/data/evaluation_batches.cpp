#include "lathe/data/evaluation_batches.h"

#include <algorithm>

namespace lathe {

EvaluationBatches::EvaluationBatches(DocumentSet documents, const RowOptions& options)
    : documents_(std::move(documents)), options_(options) {
  check_row_options(options);
}

void EvaluationBatches::rewind() {
  document_ = 0;
  offset_ = 0;
  row_ = 0;
}

Row EvaluationBatches::next_row() {
  const auto length = static_cast<uint64_t>(options_.max_length);
  uint64_t room = length;
  Row row;
  while (document_ < documents_.size()) {
    const DocumentRef document = documents_[document_];
    const uint64_t rest = document.record().tokens - offset_;
    const RowPiece piece{document, offset_, std::min(rest, length)};
    if (piece.length > room) break;
    row.push_back(piece);
    room -= piece.length;
    if (piece.length < rest && !document.cache->keeps_whole()) {
      offset_ += piece.length - 1;
    } else {
      offset_ = 0;
      ++document_;
    }
    if (!options_.packing) break;
  }
  return row;
}

std::optional<Batch> EvaluationBatches::next() {
  std::vector<Row> rows;
  while (document_ < documents_.size() && rows.size() < static_cast<size_t>(options_.batch_size)) {
    Row row = next_row();
    if (row_++ % static_cast<uint64_t>(options_.world) == static_cast<uint64_t>(options_.rank))
      rows.push_back(std::move(row));
  }
  if (rows.empty()) return std::nullopt;
  return assemble_batch(rows, options_);
}

}  // namespace lathe
