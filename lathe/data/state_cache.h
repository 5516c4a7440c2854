// What the lowest layers of a model make of documents, kept in a mapped file: layers that do not
// change give the same states in every epoch. Letters: B rows, T positions, D hidden size.
//
// A cache is a folder beside the token caches, named after the hash of all that its content depends
// on:
//   states.bin   the states of each document in turn, (tokens, D) in the dtype of the model
//   meta.json    size and hash of that
#pragma once

#include <filesystem>
#include <map>
#include <memory>

#include "lathe/base/file.h"
#include "lathe/base/hash.h"
#include "lathe/base/tensor.h"
#include "lathe/data/file_hashes.h"
#include "lathe/data/row.h"

namespace lathe {

/// Which states there are, and of what kind.
struct StateLayout {
  int64_t hidden_size = 0;
  at::ScalarType dtype = at::kFloat;
  int64_t max_length = 0;    ///< documents are read in pieces of so many tokens
  bool first_piece = false;  ///< of each document only the first piece is read

  uint64_t bytes_per_token() const {
    return static_cast<uint64_t>(hidden_size) * c10::elementSize(dtype);
  }
  /// How many tokens of a document have states.
  uint64_t tokens_of(const DocumentRecord& document) const;
  /// The size of the states of all documents of a source.
  uint64_t bytes_of(const TokenCache& tokens) const;
};

/// Writes the states of the documents of a source, one document after the other.
class StateWriter {
 public:
  StateWriter(const fs::path& folder, StateLayout layout);
  /// Adds the states of the next tokens: (tokens, D) on the CPU.
  void add(const Tensor& states);
  /// Makes all files durable.
  void finish(const std::string& key);

 private:
  fs::path folder_;
  StateLayout layout_;
  FileWriter writer_;
  Hasher hash_;
};

/// States that are there.
class StateCache {
 public:
  /// Throws Error if a file is missing, of another size or with other content than was written;
  /// `hashes` remembers what was checked before.
  StateCache(const fs::path& folder, const std::string& key, const TokenCache& tokens,
             StateLayout layout, FileHashes& hashes);

  const StateLayout& layout() const { return layout_; }
  bool has(const RowPiece& piece) const;
  /// Copies the states of a piece that it has: `out` is (length, D), contiguous, on the CPU.
  void read(const RowPiece& piece, const Tensor& out) const;

 private:
  const TokenCache& tokens_;
  StateLayout layout_;
  MappedFile file_;
  std::vector<uint64_t> begins_;  // of each document, its first token in the file
};

/// The states that a run has, of all its sources.
struct FrozenStates {
  int64_t layers = 0;  ///< so many layers made them
  std::map<const TokenCache*, std::shared_ptr<const StateCache>> caches;

  /// The states of rows of up to `width` tokens, (B, T, D), zeros where there is no token;
  /// undefined if one of their pieces has none.
  Tensor of(const std::vector<Row>& rows, int64_t width) const;
};

}  // namespace lathe
