// Lines of a text file of any length, read front to back in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace lathe {

/// A regular file, or what a program is given on its standard input, read piece by piece.
class ByteReader {
 public:
  explicit ByteReader(const std::filesystem::path& path);
  static ByteReader standard_input();
  ~ByteReader();
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;

  const std::string& name() const { return name_; }
  /// Appends at most `bytes` bytes to `buffer`; returns how many, 0 at the end of the file.
  size_t read(std::string& buffer, size_t bytes);

 private:
  ByteReader(std::string name, int file) : name_(std::move(name)), file_(file) {}

  std::string name_;
  int file_;
};

/// Lines end with LF or CR LF, the last one also without. A byte order mark is skipped.
class LineReader {
 public:
  /// A line of more than `limit` bytes is an Error that names file and line.
  explicit LineReader(const std::filesystem::path& path, size_t limit);
  /// The same of standard input: a line is returned as soon as it is there.
  static LineReader standard_input(size_t limit);

  /// The next line without its end; nothing at the end of the file. Valid until the next call.
  std::optional<std::string_view> next();
  /// The number of the line returned last, from 1.
  uint64_t line() const { return line_; }
  /// "data.jsonl:3", the file and the line returned last.
  std::string place() const;

 private:
  explicit LineReader(size_t limit);
  bool fill();

  ByteReader reader_;
  size_t limit_;
  std::string buffer_;
  size_t begin_ = 0;  // of what has not been returned yet
  uint64_t line_ = 0;
};

}  // namespace lathe
