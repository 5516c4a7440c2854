#include "lathe/io/line_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "lathe/base/error.h"
#include "lathe/io/utf8.h"

namespace lathe {

ByteReader::ByteReader(const std::filesystem::path& path)
    : name_(path.string()), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (file_ < 0) fail("opening {}: {}", name_, std::strerror(errno));
  struct stat info {};
  if (::fstat(file_, &info) == 0 && S_ISREG(info.st_mode)) return;
  ::close(file_);
  fail("opening {}: expected a regular file", name_);
}

ByteReader ByteReader::standard_input() {
  return {"standard input", STDIN_FILENO};
}

ByteReader::~ByteReader() {
  if (file_ != STDIN_FILENO) ::close(file_);
}

size_t ByteReader::read(std::string& buffer, size_t bytes) {
  const size_t before = buffer.size();
  buffer.resize(before + bytes);
  ssize_t got = 0;
  do {
    got = ::read(file_, buffer.data() + before, bytes);
  } while (got < 0 && errno == EINTR);
  const int error = errno;
  buffer.resize(before + static_cast<size_t>(got < 0 ? 0 : got));
  if (got < 0) fail("reading {}: {}", name_, std::strerror(error));
  return static_cast<size_t>(got);
}

LineReader::LineReader(const std::filesystem::path& path, size_t limit)
    : reader_(path), limit_(limit) {}

LineReader::LineReader(size_t limit) : reader_(ByteReader::standard_input()), limit_(limit) {}

LineReader LineReader::standard_input(size_t limit) {
  return LineReader(limit);
}

bool LineReader::fill() {
  constexpr size_t chunk = size_t{256} << 10;
  buffer_.erase(0, begin_);
  begin_ = 0;
  return reader_.read(buffer_, chunk) > 0;
}

std::optional<std::string_view> LineReader::next() {
  size_t searched = begin_;
  size_t end = 0;
  while ((end = buffer_.find('\n', searched)) == buffer_.npos) {
    if (buffer_.size() - begin_ > limit_) break;
    const size_t seen = buffer_.size() - begin_;
    if (!fill()) {
      if (begin_ == buffer_.size()) return std::nullopt;
      end = buffer_.size();
      break;
    }
    searched = seen;
  }
  if (line_ == 0 && begins_with_bom(buffer_)) begin_ = 3;
  ++line_;
  if (end == buffer_.npos || end - begin_ > limit_)
    fail("{}: expected at most {} bytes in a line, found more", place(), limit_);
  std::string_view text = std::string_view(buffer_).substr(begin_, end - begin_);
  begin_ = std::min(end + 1, buffer_.size());
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

std::string LineReader::place() const {
  return format("{}:{}", reader_.name(), line_);
}

}  // namespace lathe
