#include "lathe/base/made_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

#include "lathe/base/error.h"

namespace lathe {
namespace {

/// Waits until no other process makes the same folder. Where the file system has no locks it does
/// not wait: then both work, and the first to finish wins.
class BuildLock {
 public:
  BuildLock(const fs::path& path, const std::function<void()>& waiting)
      : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    if (file_ < 0) return;
    try {
      while (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) return;
        waiting();
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
    } catch (...) {
      ::close(file_);
      throw;
    }
    held_ = true;
  }
  ~BuildLock() {
    if (file_ >= 0) ::close(file_);
  }
  BuildLock(const BuildLock&) = delete;
  BuildLock& operator=(const BuildLock&) = delete;
  bool held() const { return held_; }

 private:
  int file_;
  bool held_ = false;
};

/// A folder that is gone with this object.
class WorkFolder {
 public:
  explicit WorkFolder(fs::path path) : path_(std::move(path)) {
    file_ops().make_directories(path_);
  }
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string unique(const char* what) {
  static std::atomic<uint64_t> counter = 0;
  return format(".{}-{}-{}", what, ::getpid(), ++counter);
}

/// In two steps, so that nobody finds half a folder.
void remove_damaged(const MadeFolder& folder) {
  const fs::path away = folder.beside(unique("damaged"));
  file_ops().rename(folder.path(), away);
  file_ops().remove_all(away);
}

/// Whether nobody holds the lock: whoever made something under it was killed.
bool is_abandoned(const fs::path& lock) {
  const int file = ::open(lock.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return false;
  const bool free = ::flock(file, LOCK_EX | LOCK_NB) == 0;
  ::close(file);
  return free;
}

/// What processes left that were killed at work, on this folder (whose lock is held) or another.
void remove_leftovers(const MadeFolder& folder) {
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.parent)) {
    const std::string name = entry.path().filename().string();
    const size_t end = std::min(name.find(".tmp-"), name.find(".damaged-"));
    if (end == name.npos) continue;
    const std::string key = name.substr(0, end);
    if (key == folder.key || is_abandoned(folder.parent / (key + ".lock")))
      found.push_back(entry.path());
  }
  for (const fs::path& path : found) file_ops().remove_all(path);
}

/// Makes the folder and takes it into use; false if another process has removed it at once.
bool make_and_open(const MadeFolder& folder) {
  const BuildLock lock(folder.beside(".lock"), folder.waiting);
  if (folder.open()) return true;
  if (lock.held()) remove_leftovers(folder);
  const WorkFolder work(folder.beside(unique("tmp")));
  folder.make(work.path());
  if (fs::exists(folder.path())) remove_damaged(folder);
  try {
    publish_directory(work.path(), folder.path());
  } catch (const Error&) {
    if (folder.open()) return true;  // another process was faster
    throw;
  }
  return folder.open();
}

}  // namespace

void open_or_make(const MadeFolder& folder) {
  constexpr int attempts = 3;
  file_ops().make_directories(folder.parent);
  if (folder.open()) return;
  for (int attempt = 0; attempt < attempts; ++attempt)
    if (make_and_open(folder)) return;
  fail("{}: cannot be opened right after it was written", folder.path().string());
}

}  // namespace lathe
