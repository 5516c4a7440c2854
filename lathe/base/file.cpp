#include "lathe/base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "lathe/base/error.h"

namespace lathe {
namespace {

constexpr size_t buffer_bytes = size_t{1} << 20;

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// Opens a regular file for reading; `size` receives its length. Anything else (a folder, a device,
/// a pipe) is an error: reading those may never end.
int open_regular(const fs::path& path, uint64_t& size) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  require(file >= 0, "opening {}: {}", path.string(), std::strerror(errno));
  struct stat info {};
  if (::fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(file);
    fail("opening {}: expected a regular file", path.string());
  }
  size = static_cast<uint64_t>(info.st_size);
  return file;
}

struct Closing {
  int descriptor;
  ~Closing() { ::close(descriptor); }
};

}  // namespace

FileWriter::FileWriter(fs::path path, Mode mode)
    : path_(std::move(path)),
      file_(mode == Mode::create ? file_ops().create(path_) : file_ops().append(path_)) {}

FileWriter::~FileWriter() {
  if (file_ >= 0) file_ops().close(file_);
}

void FileWriter::write(std::span<const std::byte> bytes) {
  bytes_ += bytes.size();
  if (buffer_.size() + bytes.size() > buffer_bytes) flush();
  if (bytes.size() > buffer_bytes) {
    file_ops().write(file_, path_, bytes);
  } else {
    buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
}

void FileWriter::write(std::string_view text) {
  write(std::as_bytes(std::span(text)));
}

void FileWriter::flush() {
  if (buffer_.empty()) return;
  file_ops().write(file_, path_, std::as_bytes(std::span(buffer_)));
  buffer_.clear();
}

void FileWriter::sync() {
  flush();
  file_ops().sync(file_, path_);
}

void FileWriter::finish() {
  sync();
  file_ops().close(std::exchange(file_, -1));
}

void write_file(const fs::path& path, std::string_view content) {
  FileWriter writer(path);
  writer.write(content);
  writer.finish();
}

void replace_file(const fs::path& path, const std::function<void(FileWriter&)>& write) {
  fs::path temporary = path;
  temporary += format(".tmp-{}", ::getpid());
  try {
    FileWriter writer(temporary);
    write(writer);
    writer.finish();
    file_ops().rename(temporary, path);
    file_ops().sync_directory(folder_of(path));
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
}

void write_file_atomic(const fs::path& path, std::string_view content) {
  replace_file(path, [&](FileWriter& writer) { writer.write(content); });
}

void publish_directory(const fs::path& directory, const fs::path& target) {
  require(!fs::exists(target), "publishing {}: it is already there", target.string());
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory))
    if (entry.is_directory()) file_ops().sync_directory(entry.path());
  file_ops().sync_directory(directory);
  file_ops().rename(directory, target);
  file_ops().sync_directory(folder_of(target));
}

void read_pieces(const fs::path& path, const std::function<void(std::span<const std::byte>)>& f) {
  uint64_t size = 0;
  const Closing file{open_regular(path, size)};
  std::vector<std::byte> buffer(std::min<uint64_t>(size, buffer_bytes));
  while (size > 0) {
    const ssize_t got = ::read(file.descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    require(got > 0, "reading {}: {}", path.string(),
            got < 0 ? std::strerror(errno) : "the file became shorter while it was read");
    const uint64_t count = std::min<uint64_t>(size, static_cast<uint64_t>(got));
    f({buffer.data(), count});
    size -= count;
  }
}

std::string read_file(const fs::path& path, uint64_t limit) {
  std::error_code ignored;
  const uint64_t size = fs::file_size(path, ignored);
  require(ignored || size <= limit, "reading {}: expected at most {} bytes, found {}",
          path.string(), limit, size);
  std::string content;
  if (!ignored) content.reserve(size);
  read_pieces(path, [&](std::span<const std::byte> piece) {
    content.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return content;
}

MappedFile::MappedFile(const fs::path& path) {
  uint64_t size = 0;
  const int file = open_regular(path, size);
  size_ = size;
  void* data = size_ == 0 ? nullptr : ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file, 0);
  const int error = errno;
  ::close(file);
  require(data != MAP_FAILED, "mapping {}: {}", path.string(), std::strerror(error));
  data_ = static_cast<const std::byte*>(data);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release(std::span<const std::byte> part) const {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<uintptr_t>(part.data());
  const uintptr_t begin = (address + page - 1) / page * page;  // whole pages alone
  const uintptr_t end = (address + part.size()) / page * page;
  auto* first = const_cast<std::byte*>(part.data()) + (begin - address);
  if (begin < end) ::madvise(first, end - begin, MADV_DONTNEED);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

FileLock::FileLock(const fs::path& path)
    : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  require(file_ >= 0, "opening {}: {}", path.string(), std::strerror(errno));
  if (::flock(file_, LOCK_EX | LOCK_NB) == 0) return;
  ::close(file_);
  fail("{} is locked: another run is using this folder. Wait for it, or give another output_dir",
       path.string());
}

FileLock::~FileLock() {
  ::close(file_);
}

}  // namespace lathe
