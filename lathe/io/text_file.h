// Text documents from files of any size, in pieces of bounded size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "lathe/io/line_reader.h"

namespace lathe {

/// What to do with bytes that are not UTF-8.
enum class InvalidText { refuse, replace };

struct TextOptions {
  /// A new document begins at each line that begins with this; empty: the file is one document.
  std::string document_start = {};
  /// The largest piece, in bytes; at least 16.
  size_t piece_bytes = size_t{1} << 20;
  /// `replace` puts U+FFFD in place of each byte that is not part of valid UTF-8.
  InvalidText invalid = InvalidText::refuse;
};

/// A document, or a part of one that is larger than a piece.
struct TextPiece {
  std::string text;
  bool starts_document;
};

/// Reads a text file front to back. The pieces, put together, are the file without its byte order
/// mark; line ends stay as they are. What stands before the first `document_start` is a document
/// of its own, or left out if it is blank. An empty file has no pieces. A document larger than a
/// piece is cut behind the last line that fits, else before a space, else between two characters.
class TextFile {
 public:
  explicit TextFile(const std::filesystem::path& path, TextOptions options = {});

  /// The next piece, never empty; nothing at the end of the file. Throws Error with file and byte
  /// at invalid UTF-8, unless it is to be replaced.
  std::optional<TextPiece> next();
  /// How many bytes have been replaced so far.
  uint64_t replaced() const { return replaced_; }

 private:
  void fill();
  /// The distance from `begin_` to the next line that begins a document; npos beyond a piece.
  size_t find_start() const;
  size_t find_cut() const;
  std::string take(size_t bytes);

  std::string path_;
  TextOptions options_;
  ByteReader reader_;
  std::string buffer_;
  size_t begin_ = 0;     // what lies before it in the buffer has been returned
  uint64_t offset_ = 0;  // of `begin_` in the file
  bool at_end_ = false;
  bool starts_document_ = true;
  uint64_t replaced_ = 0;
};

}  // namespace lathe
