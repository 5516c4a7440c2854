#include "lathe/data/file_hashes.h"

#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>

#include "lathe/base/error.h"
#include "lathe/base/file.h"
#include "lathe/base/hash.h"
#include "lathe/io/json.h"
#include "lathe/io/line_reader.h"

namespace lathe {
namespace {

using nlohmann::json;

int64_t nanoseconds(const timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

int64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

std::string hash_file(const fs::path& file) {
  constexpr size_t chunk = size_t{4} << 20;
  ByteReader reader(file);
  Hasher hasher;
  std::string buffer;
  while (reader.read(buffer, chunk) > 0) {
    hasher.add(buffer);
    buffer.clear();
  }
  return hasher.hex();
}

}  // namespace

FileStamp file_stamp(const fs::path& file) {
  struct stat info {};
  require(::stat(file.c_str(), &info) == 0, "opening {}: {}", file.string(), std::strerror(errno));
  require(S_ISREG(info.st_mode), "opening {}: expected a regular file", file.string());
  return {static_cast<uint64_t>(info.st_size), nanoseconds(info.st_mtim), nanoseconds(info.st_ctim),
          info.st_ino};
}

FileHashes::FileHashes(fs::path memory) : memory_(std::move(memory)) {
  try {
    if (fs::exists(memory_)) load();
  } catch (const std::exception&) {
    entries_.clear();  // it only saves time
  }
}

void FileHashes::load() {
  const json root = parse_json(read_file(memory_, uint64_t{1} << 30));
  for (const auto& [path, value] : root.items()) {
    Entry entry;
    entry.stamp = {static_cast<uint64_t>(get_int(value, "bytes", 0)), get_int(value, "modified_ns"),
                   get_int(value, "changed_ns"), std::stoull(get_string(value, "inode"))};
    entry.hash = get_string(value, "hash");
    require(entry.hash.size() == 32, "\"hash\": expected 32 digits");
    entries_.emplace(path, std::move(entry));
  }
}

std::string FileHashes::operator()(const fs::path& file) {
  constexpr int64_t settled_ns = 2'000'000'000;
  const std::string path = fs::absolute(file).lexically_normal().string();
  const FileStamp stamp = file_stamp(file);
  const auto known = entries_.find(path);
  if (known != entries_.end() && known->second.stamp == stamp) return known->second.hash;
  std::string hash = hash_file(file);
  ++files_read_;
  const bool settled = now_ns() - std::max(stamp.modified_ns, stamp.changed_ns) > settled_ns;
  if (settled && file_stamp(file) == stamp) {
    entries_[path] = {stamp, hash};
    changed_ = true;
  }
  return hash;
}

void FileHashes::save() {
  if (!changed_) return;
  json root = json::object();
  for (const auto& [path, entry] : entries_)
    root[path] = {{"bytes", entry.stamp.bytes},
                  {"modified_ns", entry.stamp.modified_ns},
                  {"changed_ns", entry.stamp.changed_ns},
                  {"inode", std::to_string(entry.stamp.inode)},
                  {"hash", entry.hash}};
  // A path may hold any bytes; JSON may not.
  write_file_atomic(memory_, root.dump(1, ' ', false, json::error_handler_t::replace));
  changed_ = false;
}

}  // namespace lathe
