#include "lathe/data/token_writer.h"

#include <array>

#include "lathe/base/error.h"

namespace lathe {
namespace {

constexpr uint64_t narrow_limit = uint64_t{1} << 16;

/// The first 64 of the 128 bits.
uint64_t short_hash(const Hasher& hasher) {
  return std::stoull(hasher.hex().substr(0, 16), nullptr, 16);
}

}  // namespace

void NameWriter::add(const std::optional<std::string>& name, uint64_t document) {
  require(places_.size() == (name ? document : 0),
          "expected a label or an adapter for each document, or for none");
  if (!name) return;
  const auto [place, is_new] = place_of_.try_emplace(*name, names_.size());
  if (is_new) names_.push_back(*name);
  places_.push_back(place->second);
}

DocumentNamesMeta NameWriter::finish(const fs::path& file) {
  if (places_.empty()) return {};
  const auto bytes = std::as_bytes(std::span(places_));
  FileWriter writer(file);
  writer.write(bytes);
  writer.finish();
  return {.hash = Hasher().add(bytes).hex(), .names = std::move(names_)};
}

TokenWriter::TokenWriter(const fs::path& folder, int64_t vocab_size)
    : folder_(folder),
      vocab_size_(static_cast<uint64_t>(vocab_size)),
      token_bytes_(vocab_size_ <= narrow_limit ? 2 : 4),
      tokens_writer_(folder / "tokens.bin"),
      documents_writer_(folder / "documents.bin") {
  require(vocab_size > 0 && vocab_size <= (int64_t{1} << 31),
          "the tokenizer: expected a vocabulary of 1 to 2^31 tokens, found {}", vocab_size);
}

void TokenWriter::store_targets(size_t count, std::span<const uint8_t> targets) {
  const auto write = [&](std::span<const uint8_t> bytes) {
    targets_writer_->write(std::as_bytes(bytes));
    targets_hash_.add(std::as_bytes(bytes));
  };
  constexpr size_t chunk = 4096;
  static constexpr auto learned = [] {
    std::array<uint8_t, chunk> ones{};
    ones.fill(1);
    return ones;
  }();
  const auto write_learned = [&](uint64_t number) {
    for (; number > 0; number -= std::min<uint64_t>(number, chunk))
      write(std::span(learned).first(std::min<uint64_t>(number, chunk)));
  };
  if (!targets_writer_ && targets.empty()) return;
  if (!targets_writer_) {
    targets_writer_.emplace(folder_ / "targets.bin");
    write_learned(stored_tokens_);
  }
  if (targets.empty())
    write_learned(count);
  else
    write(targets);
}

void TokenWriter::store(std::span<const int32_t> tokens, std::span<const uint8_t> targets) {
  store_targets(tokens.size(), targets);
  constexpr size_t chunk = 4096;
  for (size_t begin = 0; begin < tokens.size(); begin += chunk) {
    const std::span<const int32_t> part =
        tokens.subspan(begin, std::min(chunk, tokens.size() - begin));
    std::array<uint16_t, chunk> narrow;
    for (size_t i = 0; i < part.size(); ++i) {
      const auto id = static_cast<uint64_t>(part[i]);  // a negative id becomes a huge one
      require(id < vocab_size_, "the tokenizer gave the token {}, its vocabulary has {}", part[i],
              vocab_size_);
      token_limit_ = std::max(token_limit_, id + 1);
      narrow[i] = static_cast<uint16_t>(id);
    }
    const auto bytes = token_bytes_ == 2 ? std::as_bytes(std::span(narrow).first(part.size()))
                                         : std::as_bytes(part);
    tokens_writer_.write(bytes);
    tokens_hash_.add(bytes);
  }
  stored_tokens_ += tokens.size();
}

void TokenWriter::begin_document(std::optional<int32_t> bos, uint64_t given) {
  given_bytes_ = given;
  record_ = {.begin = stored_tokens_, .tokens = 0, .text_bytes = 0, .text_hash = 0};
  text_hash_ = std::make_unique<Hasher>();
  text_tokens_ = 0;
  if (bos) store(std::span(&*bos, 1));
}

void TokenWriter::add(std::string_view text, std::span<const int32_t> tokens,
                      std::span<const uint8_t> targets) {
  require(targets.empty() || targets.size() == tokens.size(),
          "expected {} marks of what is learned, found {}", tokens.size(), targets.size());
  record_.text_bytes += text.size();
  text_hash_->add(text);
  text_tokens_ += tokens.size();
  store(tokens, targets);
}

bool TokenWriter::end_document(std::optional<int32_t> eos, const NamesOfDocument& names) {
  if (text_tokens_ == 0) return false;
  labels_.add(names.label, documents_);
  adapters_.add(names.adapter, documents_);
  if (eos) store(std::span(&*eos, 1));
  record_.tokens = stored_tokens_ - record_.begin;
  text_bytes_ += record_.text_bytes;
  record_.text_bytes -= std::min(given_bytes_, record_.text_bytes);
  record_.text_hash = short_hash(*text_hash_);
  const auto bytes = std::as_bytes(std::span(&record_, 1));
  documents_writer_.write(bytes);
  documents_hash_.add(bytes);
  ++documents_;
  tokens_ += record_.tokens;
  return true;
}

void TokenWriter::finish(const std::string& key, DocumentReport report) {
  tokens_writer_.finish();
  documents_writer_.finish();
  if (targets_writer_) targets_writer_->finish();
  report.documents = documents_;
  report.text_bytes = text_bytes_;
  write_token_cache_meta(folder_ / "meta.json",
                         {.key = key,
                          .token_bytes = token_bytes_,
                          .stored_tokens = stored_tokens_,
                          .tokens = tokens_,
                          .token_limit = token_limit_,
                          .tokens_hash = tokens_hash_.hex(),
                          .documents_hash = documents_hash_.hex(),
                          .targets_hash = targets_writer_ ? targets_hash_.hex() : "",
                          .labels = labels_.finish(folder_ / "labels.bin"),
                          .adapters = adapters_.finish(folder_ / "adapters.bin"),
                          .report = std::move(report)});
}

}  // namespace lathe
