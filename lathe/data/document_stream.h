// The endless stream of the documents of a set: all of them, epoch after epoch, each epoch in an
// order of its own.
#pragma once

#include <cstdint>
#include <string>

#include "lathe/base/random.h"
#include "lathe/data/document_set.h"
#include "lathe/data/row.h"

namespace lathe {

/// Where a stream stands: the next token is `offset` of the document at `position` of `epoch`.
struct StreamPosition {
  uint64_t epoch = 0;
  uint64_t position = 0;
  uint64_t offset = 0;
};

/// A pure function of (seed, name, position): the order of an epoch is a permutation that is
/// computed, not stored.
class DocumentStream {
 public:
  /// `name` tells the random stream apart from those of other sets. The set must not be empty.
  DocumentStream(DocumentSet documents, uint64_t seed, std::string name, bool shuffle);

  /// The next tokens of the current document, at most `most` of them (at least 1), and moves on.
  RowPiece take(uint64_t most);
  /// How many tokens of the current document are left.
  uint64_t rest() const;
  /// Goes on to the next document if the current one is not at its beginning.
  void skip_rest();

  /// Whether the current document is not to be cut.
  bool keeps_whole() const { return current().cache->keeps_whole(); }
  const DocumentSet& documents() const { return documents_; }
  const StreamPosition& position() const { return at_; }
  /// Throws Error if there is no such position.
  void seek(const StreamPosition& position);

 private:
  DocumentRef current() const;
  void next_document();
  Permutation order(uint64_t epoch) const;

  DocumentSet documents_;
  uint64_t seed_;
  std::string name_;
  bool shuffle_;
  StreamPosition at_;
  Permutation order_;
};

}  // namespace lathe
