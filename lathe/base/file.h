// The one layer through which Lathe touches files. Every write goes through `FileOps`, so that a
// test can fail any operation or lose what was not synced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace lathe {

namespace fs = std::filesystem;

/// The operations that change a file system. Each throws Error naming the path and the reason.
class FileOps {
 public:
  virtual ~FileOps() = default;
  virtual int create(const fs::path& path) = 0;  ///< truncates; returns a file descriptor
  virtual int append(const fs::path& path) = 0;  ///< creates if missing; writes go to the end
  virtual void write(int file, const fs::path& path, std::span<const std::byte> bytes) = 0;
  virtual void truncate(const fs::path& path, uint64_t bytes) = 0;
  virtual void sync(int file, const fs::path& path) = 0;
  virtual void close(int file) = 0;
  virtual void rename(const fs::path& from, const fs::path& to) = 0;
  virtual void remove_all(const fs::path& path) = 0;
  virtual void make_directories(const fs::path& path) = 0;
  virtual void sync_directory(const fs::path& path) = 0;
};

/// The operations in use: those of the operating system unless a test has replaced them.
FileOps& file_ops();

/// Puts other operations in place for as long as it lives.
class FileOpsOverride {
 public:
  explicit FileOpsOverride(FileOps& ops);
  ~FileOpsOverride();
  FileOpsOverride(const FileOpsOverride&) = delete;
  FileOpsOverride& operator=(const FileOpsOverride&) = delete;

 private:
  FileOps* previous_;
};

/// A file being written front to back, through a buffer. Nothing is durable before `sync` or
/// `finish`.
class FileWriter {
 public:
  enum class Mode { create, append };
  explicit FileWriter(fs::path path, Mode mode = Mode::create);
  ~FileWriter();  // closes, without a promise that anything was written
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  /// Hands the buffer to the operating system; readers see it, a power cut may lose it.
  void flush();
  /// Flushes and syncs to the disk: what was written so far survives a power cut.
  void sync();
  /// Syncs and closes.
  void finish();
  /// Bytes written by this writer, those in the buffer included.
  uint64_t bytes() const { return bytes_; }

 private:
  fs::path path_;
  int file_;
  std::string buffer_;
  uint64_t bytes_ = 0;
};

/// Writes a whole file and syncs it. For a file in a directory that `publish_directory` makes
/// visible.
void write_file(const fs::path& path, std::string_view content);

/// Replaces the file at `path` by what `write` writes, in one step: after a crash there is the old
/// file or the new one, and an old one that is mapped stays intact.
void replace_file(const fs::path& path, const std::function<void(FileWriter&)>& write);

/// Replaces the file at `path` by one with that content, in the same way.
void write_file_atomic(const fs::path& path, std::string_view content);

/// Makes what `directory` lists durable, then puts it in the place of `target` by one rename.
/// `target` must not exist. The files in it must have been finished by their writers.
void publish_directory(const fs::path& directory, const fs::path& target);

/// The content of a regular file of at most `limit` bytes.
std::string read_file(const fs::path& path, uint64_t limit = uint64_t{1} << 30);

/// Calls `f` with one piece after the other of a regular file.
void read_pieces(const fs::path& path, const std::function<void(std::span<const std::byte>)>& f);

/// A regular file, mapped read-only. Pages are read when touched.
class MappedFile {
 public:
  explicit MappedFile(const fs::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  /// Says that a part of `bytes()` will not be read again soon: it takes no memory until it is.
  void release(std::span<const std::byte> part) const;

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// An exclusive lock on `path` (created if missing) for as long as it lives; throws Error if
/// another process holds it.
class FileLock {
 public:
  explicit FileLock(const fs::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int file_;
};

}  // namespace lathe
