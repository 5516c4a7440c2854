#include "lathe/data/document_stream.h"

#include <algorithm>

#include "lathe/base/error.h"

namespace lathe {

DocumentStream::DocumentStream(DocumentSet documents, uint64_t seed, std::string name, bool shuffle)
    : documents_(std::move(documents)),
      seed_(seed),
      name_(std::move(name)),
      shuffle_(shuffle),
      order_(order(0)) {
  require(documents_.size() > 0 && documents_.tokens() > 0, "there are no documents to train on");
}

Permutation DocumentStream::order(uint64_t epoch) const {
  return Permutation(documents_.size(), stream_seed(seed_, name_, epoch));
}

DocumentRef DocumentStream::current() const {
  return documents_[shuffle_ ? order_(at_.position) : at_.position];
}

void DocumentStream::next_document() {
  at_.offset = 0;
  if (++at_.position < documents_.size()) return;
  at_.position = 0;
  order_ = order(++at_.epoch);
}

RowPiece DocumentStream::take(uint64_t most) {
  const DocumentRef document = current();
  const uint64_t tokens = document.record().tokens;
  require(at_.offset < tokens, "a document of {} tokens at token {}: the cached data is damaged",
          tokens, at_.offset);
  const RowPiece piece{document, at_.offset, std::min(most, tokens - at_.offset)};
  at_.offset += piece.length;
  if (at_.offset == tokens) next_document();
  return piece;
}

uint64_t DocumentStream::rest() const {
  return current().record().tokens - at_.offset;
}

void DocumentStream::skip_rest() {
  if (at_.offset > 0) next_document();
}

void DocumentStream::seek(const StreamPosition& position) {
  require(position.position < documents_.size(), "expected a document below {}, found {}",
          documents_.size(), position.position);
  const StreamPosition before = std::exchange(at_, position);
  order_ = order(at_.epoch);
  const uint64_t tokens = current().record().tokens;
  if (at_.offset < tokens) return;
  at_ = before;
  order_ = order(at_.epoch);
  fail("expected a token below {}, found {}", tokens, position.offset);
}

}  // namespace lathe
