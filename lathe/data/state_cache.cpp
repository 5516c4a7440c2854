#include "lathe/data/state_cache.h"

#include <cstring>
#include <nlohmann/json.hpp>

#include "lathe/io/json.h"

namespace lathe {
namespace {

constexpr const char* states_name = "states.bin";
constexpr const char* meta_name = "meta.json";

std::span<const std::byte> bytes_of(const Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

}  // namespace

uint64_t StateLayout::tokens_of(const DocumentRecord& document) const {
  return first_piece ? std::min(document.tokens, static_cast<uint64_t>(max_length))
                     : document.tokens;
}

uint64_t StateLayout::bytes_of(const TokenCache& tokens) const {
  uint64_t count = 0;
  for (uint64_t i = 0; i < tokens.documents(); ++i) count += tokens_of(tokens[i]);
  return count * bytes_per_token();
}

StateWriter::StateWriter(const fs::path& folder, StateLayout layout)
    : folder_(folder), layout_(layout), writer_(folder / states_name) {}

void StateWriter::add(const Tensor& states) {
  require(states.dim() == 2 && states.size(1) == layout_.hidden_size &&
              states.scalar_type() == layout_.dtype,
          "states: expected (tokens, {}) of {}, found {} of {}", layout_.hidden_size,
          c10::toString(layout_.dtype), states.sizes(), c10::toString(states.scalar_type()));
  const Tensor whole = states.contiguous();
  writer_.write(bytes_of(whole));
  hash_.add(bytes_of(whole));
}

void StateWriter::finish(const std::string& key) {
  const nlohmann::json meta = {{"key", key}, {"bytes", writer_.bytes()}, {"hash", hash_.hex()}};
  writer_.finish();
  write_file(folder_ / meta_name, meta.dump(1) + "\n");
}

StateCache::StateCache(const fs::path& folder, const std::string& key, const TokenCache& tokens,
                       StateLayout layout, FileHashes& hashes)
    : tokens_(tokens), layout_(layout), file_(folder / states_name) {
  const Context opening("opening {}", folder.string());
  const nlohmann::json meta = load_json(folder / meta_name, 1 << 16);
  require(get_string(meta, "key") == key, "expected the key {}, found {}", key,
          get_string(meta, "key"));
  uint64_t at = 0;
  begins_.reserve(tokens.documents());
  for (uint64_t i = 0; i < tokens.documents(); ++i) {
    begins_.push_back(at);
    at += layout.tokens_of(tokens[i]);
  }
  require(file_.bytes().size() == at * layout.bytes_per_token(), "expected {} bytes, found {}",
          at * layout.bytes_per_token(), file_.bytes().size());
  require(hashes(folder / states_name) == get_string(meta, "hash"),
          "the content is not what was written");
}

bool StateCache::has(const RowPiece& piece) const {
  const uint64_t tokens = layout_.tokens_of(piece.document.record());
  const auto length = static_cast<uint64_t>(layout_.max_length);
  return piece.document.cache == &tokens_ && piece.begin % length == 0 && piece.begin < tokens &&
         piece.length == std::min(length, tokens - piece.begin);
}

void StateCache::read(const RowPiece& piece, const Tensor& out) const {
  const uint64_t each = layout_.bytes_per_token();
  const std::span<const std::byte> part = file_.bytes().subspan(
      (begins_[piece.document.document] + piece.begin) * each, piece.length * each);
  require(out.nbytes() == part.size() && out.is_contiguous(),
          "states: expected room for {} bytes, found {}", part.size(), out.nbytes());
  std::memcpy(out.mutable_data_ptr(), part.data(), part.size());
  file_.release(part);
}

Tensor FrozenStates::of(const std::vector<Row>& rows, int64_t width) const {
  const StateLayout* layout = nullptr;
  for (const Row& row : rows) {
    for (const RowPiece& piece : row) {
      const auto cache = caches.find(piece.document.cache);
      if (cache == caches.end() || !cache->second->has(piece)) return {};
      layout = &cache->second->layout();
    }
  }
  if (layout == nullptr) return {};
  const Tensor states = at::zeros({static_cast<int64_t>(rows.size()), width, layout->hidden_size},
                                  at::TensorOptions().dtype(layout->dtype));
  for (size_t i = 0; i < rows.size(); ++i) {
    int64_t at = 0;
    for (const RowPiece& piece : rows[i]) {
      const auto length = static_cast<int64_t>(piece.length);
      caches.at(piece.document.cache)
          ->read(piece, states[static_cast<int64_t>(i)].narrow(0, at, length));
      at += length;
    }
  }
  return states;
}

}  // namespace lathe
