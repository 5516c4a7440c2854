// Writes the files of a token cache.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "lathe/base/file.h"
#include "lathe/base/hash.h"
#include "lathe/data/token_cache.h"

namespace lathe {

/// A name for each document, or for none, such as its label.
class NameWriter {
 public:
  /// `document` counts from 0.
  void add(const std::optional<std::string>& name, uint64_t document);
  /// Writes the file, if there are names.
  DocumentNamesMeta finish(const std::filesystem::path& file);

 private:
  std::vector<uint32_t> places_;  // of each document's name in names_
  std::vector<std::string> names_;
  std::map<std::string, uint32_t> place_of_;
};

/// As in Example. Either all documents have one, or none.
struct NamesOfDocument {
  std::optional<std::string> label = {}, adapter = {};
};

/// Appends documents, piece by piece, to a cache in a new folder.
class TokenWriter {
 public:
  /// `vocab_size` decides how wide an id is; ids at or above it are an Error.
  TokenWriter(const std::filesystem::path& folder, int64_t vocab_size);

  /// Begins a document, with the token `bos` if there is one; otherwise its first token, which
  /// nothing predicts, stands for `given` bytes of its text.
  void begin_document(std::optional<int32_t> bos, uint64_t given = 0);
  /// Adds a piece of the document's text, with its tokens; `targets` says of each whether it is
  /// learned (1 or 0), all are if it is empty. A document that is never ended is none.
  void add(std::string_view text, std::span<const int32_t> tokens,
           std::span<const uint8_t> targets = {});
  /// Ends the document, with the token `eos` if there is one. If its text had no token it is left
  /// out, and false comes back.
  bool end_document(std::optional<int32_t> eos, const NamesOfDocument& names = {});

  uint64_t documents() const { return documents_; }
  uint64_t text_bytes() const { return text_bytes_; }
  uint64_t tokens() const { return tokens_; }

  /// Makes all files durable. `report` gets its counts of documents and bytes.
  void finish(const std::string& key, DocumentReport report);

 private:
  void store(std::span<const int32_t> tokens, std::span<const uint8_t> targets = {});
  void store_targets(size_t count, std::span<const uint8_t> targets);

  std::filesystem::path folder_;
  uint64_t vocab_size_;
  int64_t token_bytes_;
  FileWriter tokens_writer_;
  FileWriter documents_writer_;
  std::optional<FileWriter> targets_writer_;  // from the first document that is not learned whole
  Hasher tokens_hash_;
  Hasher documents_hash_;
  Hasher targets_hash_;
  NameWriter labels_, adapters_;
  uint64_t stored_tokens_ = 0;
  uint64_t token_limit_ = 0;
  uint64_t documents_ = 0;
  uint64_t text_bytes_ = 0;
  uint64_t tokens_ = 0;

  DocumentRecord record_{};  // of the document begun last
  uint64_t text_tokens_ = 0;
  uint64_t given_bytes_ = 0;
  std::unique_ptr<Hasher> text_hash_;
};

}  // namespace lathe
