// Content hashes of many files, remembered from run to run so that unchanged files are not read.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>

namespace lathe {

/// What tells whether a file is still the same without reading it.
struct FileStamp {
  uint64_t bytes = 0;
  int64_t modified_ns = 0;  ///< since 1970
  int64_t changed_ns = 0;   ///< of the inode, which nobody can set back
  uint64_t inode = 0;
  bool operator==(const FileStamp&) const = default;
};

/// The stamp of a regular file. Throws Error for anything else.
FileStamp file_stamp(const std::filesystem::path& file);

/// Hashes by path and stamp, kept in one JSON file. A hash is only remembered for a file that had
/// been left alone for two seconds, since a later change within a tick of the file system's clock
/// would not show in its stamp.
class FileHashes {
 public:
  /// Reads what `memory` holds; starts anew where it is missing or damaged.
  explicit FileHashes(std::filesystem::path memory);
  /// The content hash (32 hexadecimal digits) of the file as it stands.
  std::string operator()(const std::filesystem::path& file);
  /// Writes what was learnt, if anything.
  void save();
  /// How many files had to be read.
  uint64_t files_read() const { return files_read_; }

 private:
  struct Entry {
    FileStamp stamp;
    std::string hash;
  };
  void load();

  std::filesystem::path memory_;
  std::map<std::string, Entry> entries_;
  bool changed_ = false;
  uint64_t files_read_ = 0;
};

}  // namespace lathe
