#include "lathe/data/documents.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "lathe/base/error.h"
#include "lathe/io/glob.h"
#include "lathe/io/rows.h"
#include "lathe/io/text_file.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

namespace fs = std::filesystem;

constexpr size_t piece_bytes = size_t{1} << 20;

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\v") == text.npos;
}

class TextDocuments final : public DocumentReader::File {
 public:
  TextDocuments(fs::path path, const std::string& document_start)
      : path_(std::move(path)),
        file_(path_, {.document_start = document_start,
                      .piece_bytes = piece_bytes,
                      .invalid = InvalidText::replace}),
        ahead_(read()) {
    is_empty_ = !ahead_;
  }

  std::optional<DocumentPiece> next(DocumentReport& report) override {
    if (std::exchange(is_empty_, false)) report.skip(SkipReason::empty, path_, 0);
    while (ahead_) {
      Read now = std::move(*ahead_);
      ahead_ = read();
      DocumentPiece piece{std::move(now.piece.text), now.piece.starts_document,
                          !ahead_ || ahead_->piece.starts_document, false};
      const uint64_t begins_at = next_line_;
      next_line_ += static_cast<uint64_t>(std::ranges::count(piece.text, '\n'));
      if (piece.begins) {
        line_ = begins_at;
        left_out_ = false;
      }
      if (left_out_) continue;
      if (now.invalid) {
        left_out_ = true;
        report.skip(SkipReason::invalid_utf8, path_, line_);
        if (!piece.begins) return DocumentPiece{{}, false, true, true};
      } else if (piece.begins && piece.ends && is_blank(piece.text)) {
        report.skip(SkipReason::empty, path_, line_);
      } else {
        return piece;
      }
    }
    return std::nullopt;
  }

  uint64_t line() const override { return line_; }

 private:
  struct Read {
    TextPiece piece;
    bool invalid;
  };

  std::optional<Read> read() {
    const uint64_t replaced = file_.replaced();
    std::optional<TextPiece> piece = file_.next();
    if (!piece) return std::nullopt;
    return Read{std::move(*piece), file_.replaced() != replaced};
  }

  fs::path path_;
  TextFile file_;
  std::optional<Read> ahead_;  // tells whether the piece before it ends its document
  bool is_empty_ = false;
  uint64_t line_ = 0;
  uint64_t next_line_ = 1;
  bool left_out_ = false;  // the document being read
};

/// How much of a text goes into one piece: lines if possible, whole characters in any case.
size_t piece_length(std::string_view text) {
  if (text.size() <= piece_bytes) return text.size();
  const std::string_view piece = text.substr(0, piece_bytes);
  if (const size_t newline = piece.rfind('\n'); newline != piece.npos) return newline + 1;
  if (const size_t space = piece.rfind(' '); space != piece.npos && space > 0) return space;
  return utf8_complete_prefix(piece);
}

class TableDocuments final : public DocumentReader::File {
 public:
  TableDocuments(fs::path path, const ExampleReader& examples)
      : path_(std::move(path)), examples_(examples), rows_(open_rows(path_)) {}

  std::optional<DocumentPiece> next(DocumentReport& report) override {
    if (done_ == row_text().size() && !next_row(report)) return std::nullopt;
    if (example_.prompt || example_.targets || example_.label) return whole();
    DocumentPiece piece;
    const std::string_view rest = std::string_view(row_text()).substr(done_);
    piece.begins = done_ == 0;
    piece.text = rest.substr(0, piece_length(rest));
    done_ += piece.text.size();
    piece.ends = done_ == row_text().size();
    piece.complete = example_.complete;
    piece.adapter = example_.adapter;
    return piece;
  }

  uint64_t line() const override { return row_; }

 private:
  const std::string& row_text() const { return example_.text; }

  /// Where a text is cut tokens may differ, so one that is learned in parts stays whole.
  DocumentPiece whole() {
    done_ = 0;
    Example example = std::exchange(example_, Example());
    return {.text = std::move(example.text),
            .prompt = std::move(example.prompt),
            .targets = std::move(example.targets),
            .complete = example.complete,
            .label = std::move(example.label),
            .adapter = std::move(example.adapter)};
  }

  bool next_row(DocumentReport& report) {
    while (std::optional<nlohmann::ordered_json> row = rows_->next()) {
      ++row_;
      const Context reading("reading {}:{}", path_.string(), row_);
      std::optional<Example> example = examples_(*row);
      done_ = 0;
      if (!example) {
        report.skip(SkipReason::no_text, path_, row_);
      } else if (!is_valid_utf8(example->text)) {
        report.skip(SkipReason::invalid_utf8, path_, row_);
      } else if (is_blank(example->text)) {
        report.skip(SkipReason::empty, path_, row_);
      } else {
        example_ = std::move(*example);
        return true;
      }
    }
    if (row_ == 0) report.skip(SkipReason::empty, path_, 0);
    return false;
  }

  fs::path path_;
  const ExampleReader& examples_;
  std::unique_ptr<Rows> rows_;
  uint64_t row_ = 0;
  Example example_;
  size_t done_ = 0;  // of its text, in bytes
};

}  // namespace

void check_source(const DataSource& source) {
  require(!source.path.empty(), "train_data: expected a path, found an empty one");
  if (source.weight)
    require(std::isfinite(*source.weight) && *source.weight > 0,
            "{}: weight: expected a number > 0, found {}: leave a source out to give it no rows",
            source.path, *source.weight);
  require(source.document_start.find_first_of("\r\n") == std::string::npos,
          "{}: document_start: expected the beginning of one line, found {}", source.path,
          show_text(source.document_start));
}

std::vector<fs::path> source_files(const DataSource& source) {
  check_source(source);
  return expand_paths(std::span(&source.path, 1));
}

DocumentReader::DocumentReader(std::vector<fs::path> files, DataSource source,
                               ExampleReader examples)
    : files_(std::move(files)), source_(std::move(source)), examples_(std::move(examples)) {}
DocumentReader::~DocumentReader() = default;

uint64_t DocumentReader::line() const {
  return open_ == nullptr ? 0 : open_->line();
}

std::optional<DocumentPiece> DocumentReader::next() {
  while (file_ < files_.size()) {
    if (open_ == nullptr) {
      if (is_table(files_[file_]))
        open_ = std::make_unique<TableDocuments>(files_[file_], examples_);
      else
        open_ = std::make_unique<TextDocuments>(files_[file_], source_.document_start);
    }
    if (std::optional<DocumentPiece> piece = open_->next(report_)) return piece;
    open_.reset();
    ++file_;
  }
  return std::nullopt;
}

}  // namespace lathe
