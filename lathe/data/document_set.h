// The documents of one or several sources, or a part of them, under one numbering.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "lathe/data/token_cache.h"

namespace lathe {

/// One document of a set.
struct DocumentRef {
  const TokenCache* cache = nullptr;
  uint64_t document = 0;

  const DocumentRecord& record() const { return (*cache)[document]; }
};

/// An ordered set of documents. Holds four bytes a document at most, none where all of a source
/// belong to it.
class DocumentSet {
 public:
  /// Adds all documents of a source.
  void add(std::shared_ptr<const TokenCache> cache);
  /// Adds those of the given numbers.
  void add(std::shared_ptr<const TokenCache> cache, std::vector<uint32_t> documents);
  /// Adds all of another set.
  void add(const DocumentSet& other);

  uint64_t size() const { return size_; }
  uint64_t tokens() const { return tokens_; }
  DocumentRef operator[](uint64_t i) const;
  /// Whether some of its documents, or all, are not to be cut (TokenCache::keeps_whole).
  bool keeps_some_whole() const;
  bool keeps_all_whole() const;
  /// The sources that its documents come from.
  std::vector<std::shared_ptr<const TokenCache>> sources() const;
  /// Those that the adapter of that name learns.
  DocumentSet of_adapter(const std::string& name) const;
  /// Adds every label that a document of its sources may have.
  void add_labels(std::set<std::string>& labels) const;
  /// A hash of which documents these are.
  std::string fingerprint() const;

 private:
  struct Part {
    std::shared_ptr<const TokenCache> cache;
    std::shared_ptr<const std::vector<uint32_t>> chosen;  // null: all
    uint64_t end;                                         // in the numbering of the set
  };
  std::vector<Part> parts_;
  uint64_t size_ = 0;
  uint64_t tokens_ = 0;
};

}  // namespace lathe
