#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "lathe/base/error.h"
#include "lathe/base/file.h"

namespace lathe {
namespace {

[[noreturn]] void fail_errno(const char* doing, const fs::path& path) {
  const int error = errno;
  std::string hint;
  if (error == ENOSPC || error == EDQUOT) {
    std::error_code ignored;
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    const fs::space_info space = fs::space(folder, ignored);
    if (!ignored)
      hint = format(" ({} bytes are free; free some space and run again)", space.available);
  }
  fail("{} {}: {}{}", doing, path.string(), std::strerror(error), hint);
}

class SystemFileOps final : public FileOps {
 public:
  int create(const fs::path& path) override { return open(path, O_TRUNC); }
  int append(const fs::path& path) override { return open(path, O_APPEND); }

  void write(int file, const fs::path& path, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail_errno("writing", path);
      bytes = bytes.subspan(static_cast<size_t>(written));
    }
  }

  void truncate(const fs::path& path, uint64_t bytes) override {
    if (::truncate(path.c_str(), static_cast<off_t>(bytes)) != 0) fail_errno("truncating", path);
  }

  void sync(int file, const fs::path& path) override {
    if (::fsync(file) != 0) fail_errno("syncing", path);
  }

  void close(int file) override { ::close(file); }

  void rename(const fs::path& from, const fs::path& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0)
      fail_errno(format("renaming {} to", from.string()).c_str(), to);
  }

  void remove_all(const fs::path& path) override {
    std::error_code error;
    fs::remove_all(path, error);
    require(!error, "removing {}: {}", path.string(), error.message());
  }

  void make_directories(const fs::path& path) override {
    std::error_code error;
    fs::create_directories(path, error);
    require(!error, "making the folder {}: {}", path.string(), error.message());
  }

  void sync_directory(const fs::path& path) override {
    const int file = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) fail_errno("opening", path);
    const int result = ::fsync(file);
    ::close(file);
    if (result != 0) fail_errno("syncing", path);
  }

 private:
  static int open(const fs::path& path, int flag) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flag, 0666);
    if (file < 0) fail_errno("creating", path);
    return file;
  }
};

FileOps* current = nullptr;

}  // namespace

FileOps& file_ops() {
  static SystemFileOps system;
  return current != nullptr ? *current : system;
}

FileOpsOverride::FileOpsOverride(FileOps& ops) : previous_(current) {
  current = &ops;
}
FileOpsOverride::~FileOpsOverride() {
  current = previous_;
}

}  // namespace lathe
