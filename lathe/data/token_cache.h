// The documents of one source as tokens, in mapped files that are made once.
//
// A cache is a folder named after its key, the hash of everything that decides its content:
//   tokens.bin      token ids, uint16 where the vocabulary fits, otherwise uint32
//   documents.bin   a DocumentRecord for each document
//   targets.bin     for each token 1 if it is learned, otherwise 0; not there if all are
//   labels.bin      for each document the place of its label in meta.json, uint32; if they have any
//   adapters.bin    likewise of the name of its adapter
//   meta.json       sizes and hashes of these, and what was left out
// Numbers are little-endian.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "lathe/base/file.h"
#include "lathe/data/document_report.h"
#include "lathe/data/file_hashes.h"

namespace lathe {

/// Where a document lies in tokens.bin, as written in documents.bin. Documents come in order;
/// between two there may be tokens that belong to none.
struct DocumentRecord {
  uint64_t begin;       ///< its first token, counted from the start of the file
  uint64_t tokens;      ///< at least 1
  uint64_t text_bytes;  ///< of its text in UTF-8, without those that its first token stands for
  uint64_t text_hash;   ///< of its text; equal texts have equal hashes
};
static_assert(sizeof(DocumentRecord) == 32);

/// What meta.json says of names of documents.
struct DocumentNamesMeta {
  std::string hash;  ///< of the file; empty: there is none
  std::vector<std::string> names;
};

/// What meta.json says.
struct TokenCacheMeta {
  std::string key;
  int64_t token_bytes = 0;  ///< 2 or 4
  uint64_t stored_tokens = 0;
  uint64_t tokens = 0;       ///< those that belong to documents
  uint64_t token_limit = 0;  ///< one more than the largest id
  std::string tokens_hash;
  std::string documents_hash;
  std::string targets_hash;  ///< empty: there is no such file
  DocumentNamesMeta labels, adapters;
  DocumentReport report;
};

/// A name for each document, mapped, or for none.
class DocumentNames {
 public:
  DocumentNames(const std::filesystem::path& file, const DocumentNamesMeta& meta,
                uint64_t documents, FileHashes& hashes);
  bool any() const { return file_.has_value(); }
  /// All there are.
  const std::vector<std::string>& all() const { return names_; }
  /// That of a document. Throws Error if there are none, or the file is damaged.
  const std::string& operator[](uint64_t document) const { return names_[place(document)]; }
  /// Where in all() it is.
  uint32_t place(uint64_t document) const;

 private:
  std::string path_;
  std::vector<std::string> names_;
  std::optional<MappedFile> file_;
};

/// A cache that is there, mapped: nothing of it is in memory but what was touched.
class TokenCache {
 public:
  /// Throws Error if a file is missing, of another size or with other content than was written;
  /// `hashes` remembers what was checked before.
  TokenCache(const std::filesystem::path& folder, FileHashes& hashes);

  uint64_t documents() const { return records_.size(); }
  /// Tokens of all documents.
  uint64_t tokens() const { return meta_.tokens; }
  const DocumentRecord& operator[](uint64_t document) const { return records_[document]; }
  /// Copies the tokens from `begin` on of one document. Throws Error if the cache is damaged.
  void read(uint64_t document, uint64_t begin, std::span<int64_t> tokens) const;
  /// Whether documents have tokens that are not learned.
  bool has_targets() const { return targets_file_.has_value(); }
  /// Whether its documents are not to be cut: they are learned in parts, such as answers, and need
  /// what comes before, or have a label.
  bool keeps_whole() const { return has_targets() || labels_.any(); }
  /// Which of the tokens from `begin` on of one document are learned: 1 or 0 each.
  void read_targets(uint64_t document, uint64_t begin, std::span<uint8_t> targets) const;
  /// Of each document its label, as JSON.
  const DocumentNames& labels() const { return labels_; }
  /// Of each document the name of the adapter that learns it.
  const DocumentNames& adapters() const { return adapters_; }
  /// One more than the largest token.
  uint64_t token_limit() const { return meta_.token_limit; }
  const std::string& key() const { return meta_.key; }
  const DocumentReport& report() const { return meta_.report; }

 private:
  const DocumentRecord& checked(uint64_t document, uint64_t begin, uint64_t count) const;
  template <class Id>
  void copy(const DocumentRecord& record, uint64_t begin, std::span<int64_t> tokens) const;

  std::string folder_;
  TokenCacheMeta meta_;
  MappedFile tokens_file_;
  MappedFile documents_file_;
  std::span<const DocumentRecord> records_;
  std::optional<MappedFile> targets_file_;
  DocumentNames labels_, adapters_;
};

/// Reads or writes meta.json, with a hash over itself.
TokenCacheMeta read_token_cache_meta(const std::filesystem::path& file);
void write_token_cache_meta(const std::filesystem::path& file, const TokenCacheMeta& meta);

}  // namespace lathe
