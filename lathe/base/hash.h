// Content hashes: XXH3 with 128 bits, fast enough for whole data sets, for caches and for finding
// damage. Not a defence against somebody who wants two contents to collide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace lathe {

/// Hashes a stream of bytes, piece by piece.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  Hasher& add(std::span<const std::byte> bytes);
  Hasher& add(std::string_view text);
  /// The hash so far, 32 hexadecimal digits.
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The hash of one piece, 32 hexadecimal digits.
std::string content_hash(std::span<const std::byte> bytes);
std::string content_hash(std::string_view text);

/// The content hash of a file, read piece by piece: its pages do not stay in this process.
std::string file_hash(const std::filesystem::path& path);

/// A 64-bit hash of one piece.
uint64_t hash64(std::string_view text, uint64_t seed = 0);

}  // namespace lathe
