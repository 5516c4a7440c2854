// Documents of text, one after the other, out of files of any kind.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lathe/data/document_report.h"
#include "lathe/data/example.h"
#include "lathe/data/options.h"

namespace lathe {

/// A document, or a part of a large one. The parts of a document come one after the other, in valid
/// UTF-8, and put together are its text.
struct DocumentPiece {
  std::string text;
  bool begins = true;
  bool ends = true;
  /// The document whose parts came before is not to be used after all (its rest is no UTF-8).
  bool withdrawn = false;
  /// What is learned of a document in one part: as in Example.
  std::optional<std::string> prompt = {};
  std::optional<std::vector<ByteSpan>> targets = {};
  bool complete = false;
  std::optional<std::string> label = {};
  std::optional<std::string> adapter = {};
};

/// Checks what a recipe says of a source. Throws Error naming what is wrong.
void check_source(const DataSource& source);

/// The files a source names, sorted by path. Throws Error if there is none.
std::vector<std::filesystem::path> source_files(const DataSource& source);

/// Streams the documents of one source in bounded memory. Documents that cannot be used are left
/// out and counted.
class DocumentReader {
 public:
  /// Rows of tables become documents by `examples`.
  DocumentReader(std::vector<std::filesystem::path> files, DataSource source,
                 ExampleReader examples);
  /// The same for texts alone: conversations are refused.
  DocumentReader(std::vector<std::filesystem::path> files, const DataSource& source)
      : DocumentReader(std::move(files), source, ExampleReader({.column = source.column})) {}
  ~DocumentReader();
  DocumentReader(const DocumentReader&) = delete;
  DocumentReader& operator=(const DocumentReader&) = delete;

  /// The next piece; nothing at the end. Throws Error naming file and row where a file is damaged
  /// or lacks the column (with the columns it has).
  std::optional<DocumentPiece> next();
  /// What was left out so far; its counts of documents and bytes are the caller's to fill.
  DocumentReport& report() { return report_; }
  /// Where the document of the last piece begins: the file, and the line or row, from 1.
  const std::filesystem::path& file() const { return files_.at(file_); }
  uint64_t line() const;
  /// How many files were read to their end.
  size_t files_done() const { return file_; }

  /// The documents of one file.
  class File {
   public:
    virtual ~File() = default;
    virtual std::optional<DocumentPiece> next(DocumentReport& report) = 0;
    virtual uint64_t line() const = 0;
  };

 private:
  std::vector<std::filesystem::path> files_;
  DataSource source_;
  ExampleReader examples_;
  size_t file_ = 0;
  std::unique_ptr<File> open_;
  DocumentReport report_;
};

}  // namespace lathe
