#include "lathe/base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lathe/base/file.h"
#include "lathe/base/format.h"

namespace lathe {
namespace {

std::string to_hex(XXH128_hash_t hash) {
  return format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace

struct Hasher::State {
  XXH3_state_t xxh3;
};

Hasher::Hasher() : state_(std::make_unique<State>()) {
  XXH3_128bits_reset(&state_->xxh3);
}
Hasher::~Hasher() = default;

Hasher& Hasher::add(std::span<const std::byte> bytes) {
  XXH3_128bits_update(&state_->xxh3, bytes.data(), bytes.size());
  return *this;
}

Hasher& Hasher::add(std::string_view text) {
  return add(std::as_bytes(std::span(text)));
}

std::string Hasher::hex() const {
  return to_hex(XXH3_128bits_digest(&state_->xxh3));
}

std::string content_hash(std::span<const std::byte> bytes) {
  return to_hex(XXH3_128bits(bytes.data(), bytes.size()));
}

std::string content_hash(std::string_view text) {
  return content_hash(std::as_bytes(std::span(text)));
}

std::string file_hash(const std::filesystem::path& path) {
  Hasher hasher;
  read_pieces(path, [&](std::span<const std::byte> piece) { hasher.add(piece); });
  return hasher.hex();
}

uint64_t hash64(std::string_view text, uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

}  // namespace lathe
