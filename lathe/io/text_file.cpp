#include "lathe/io/text_file.h"

#include <algorithm>

#include "lathe/base/error.h"
#include "lathe/io/file_kind.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

constexpr size_t smallest_piece = 16;

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == text.npos;
}

}  // namespace

TextFile::TextFile(const std::filesystem::path& path, TextOptions options)
    : path_(path.string()), options_(std::move(options)), reader_(path) {
  require(options_.piece_bytes >= smallest_piece, "reading {}: pieces of {} bytes, at least are {}",
          path_, options_.piece_bytes, smallest_piece);
  fill();
  if (!begins_with_bom(buffer_)) return;
  begin_ = 3;
  offset_ = 3;
}

/// Reads on until a whole piece, and the beginning of a line behind it, are in the buffer.
void TextFile::fill() {
  constexpr size_t smallest_read = size_t{256} << 10;
  const size_t wanted = options_.piece_bytes + options_.document_start.size() + 1;
  if (at_end_ || buffer_.size() - begin_ >= wanted) return;
  buffer_.erase(0, begin_);
  begin_ = 0;
  while (!at_end_ && buffer_.size() < wanted)
    at_end_ = reader_.read(buffer_, std::max(options_.piece_bytes, smallest_read)) == 0;
}

size_t TextFile::find_start() const {
  if (options_.document_start.empty()) return std::string::npos;
  const std::string needle = "\n" + options_.document_start;
  const std::string_view window =
      std::string_view(buffer_).substr(begin_, options_.piece_bytes + needle.size() - 1);
  const size_t found = window.find(needle);
  return found == window.npos ? found : found + 1;
}

size_t TextFile::find_cut() const {
  const std::string_view piece = std::string_view(buffer_).substr(begin_, options_.piece_bytes);
  if (const size_t newline = piece.rfind('\n'); newline != piece.npos) return newline + 1;
  if (const size_t space = piece.rfind(' '); space != piece.npos && space > 0) return space;
  return utf8_complete_prefix(piece);
}

std::string TextFile::take(size_t bytes) {
  std::string text = buffer_.substr(begin_, bytes);
  if (const size_t bad = find_invalid_utf8(text); bad != text.size()) {
    if (options_.invalid == InvalidText::refuse) {
      const std::string_view kind = offset_ == 0 ? file_kind(text) : "";
      fail("reading {}: expected UTF-8 text, found an invalid byte at {}{}", path_, offset_ + bad,
           kind.empty() ? ": save it as UTF-8, or leave it out"
                        : format(" (it looks like {})", kind));
    }
    text = replace_invalid_utf8(text, replaced_);
  }
  begin_ += bytes;
  offset_ += bytes;
  return text;
}

std::optional<TextPiece> TextFile::next() {
  while (true) {
    fill();
    const size_t available = buffer_.size() - begin_;
    if (available == 0) return std::nullopt;
    const size_t start = find_start();
    const bool found = start <= options_.piece_bytes;
    const size_t bytes = found ? start : available <= options_.piece_bytes ? available : find_cut();
    TextPiece piece{take(bytes), starts_document_};
    starts_document_ = found;
    const bool precedes_documents =
        found && piece.starts_document && !piece.text.starts_with(options_.document_start);
    if (precedes_documents && is_blank(piece.text)) continue;
    return piece;
  }
}

}  // namespace lathe
