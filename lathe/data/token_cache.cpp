#include "lathe/data/token_cache.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>

#include "lathe/base/error.h"
#include "lathe/base/hash.h"
#include "lathe/io/json.h"

namespace lathe {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

json names_json(const DocumentNamesMeta& meta) {
  return {{"hash", meta.hash}, {"names", meta.names}};
}

DocumentNamesMeta names_from(const json& object) {
  DocumentNamesMeta meta{.hash = get_string(object, "hash"), .names = {}};
  for (const json& name : get_array(object, "names")) {
    require(name.is_string(), "\"names\": expected texts, found {}", show_json(name));
    meta.names.push_back(name.get<std::string>());
  }
  return meta;
}

json meta_json(const TokenCacheMeta& meta) {
  return {{"key", meta.key},
          {"token_bytes", meta.token_bytes},
          {"stored_tokens", meta.stored_tokens},
          {"tokens", meta.tokens},
          {"token_limit", meta.token_limit},
          {"tokens_hash", meta.tokens_hash},
          {"documents_hash", meta.documents_hash},
          {"targets_hash", meta.targets_hash},
          {"labels", names_json(meta.labels)},
          {"adapters", names_json(meta.adapters)},
          {"report", to_json(meta.report)}};
}

MappedFile map_checked(const fs::path& file, uint64_t count, uint64_t size, const std::string& hash,
                       FileHashes& hashes) {
  MappedFile mapped(file);
  const uint64_t found = mapped.bytes().size();
  require(found % size == 0 && found / size == count,
          "{}: expected {} entries of {} bytes, "
          "found {} bytes",
          file.string(), count, size, found);
  require(hashes(file) == hash, "{}: the content is not what was written", file.string());
  return mapped;
}

}  // namespace

TokenCacheMeta read_token_cache_meta(const fs::path& file) {
  const json root = load_json(file);
  const Context doing("reading {}", file.string());
  const json& object = get_object(root, "meta");
  require(content_hash(object.dump()) == get_string(root, "hash"),
          "the content is not what was written");
  TokenCacheMeta meta;
  meta.key = get_string(object, "key");
  meta.token_bytes = get_int(object, "token_bytes", 2, 4);
  require(meta.token_bytes != 3, "\"token_bytes\": expected 2 or 4, found 3");
  meta.stored_tokens = get_count(object, "stored_tokens");
  meta.tokens = get_count(object, "tokens");
  meta.token_limit = get_count(object, "token_limit");
  meta.tokens_hash = get_string(object, "tokens_hash");
  meta.documents_hash = get_string(object, "documents_hash");
  meta.targets_hash = get_string(object, "targets_hash");
  meta.labels = names_from(get_object(object, "labels"));
  meta.adapters = names_from(get_object(object, "adapters"));
  meta.report = report_from_json(get_object(object, "report"));
  return meta;
}

void write_token_cache_meta(const fs::path& file, const TokenCacheMeta& meta) {
  const json object = meta_json(meta);
  const json root = {{"meta", object}, {"hash", content_hash(object.dump())}};
  write_file(file, root.dump(1));
}

TokenCache::TokenCache(const fs::path& folder, FileHashes& hashes)
    : folder_(folder.string()),
      meta_(read_token_cache_meta(folder / "meta.json")),
      tokens_file_(map_checked(folder / "tokens.bin", meta_.stored_tokens,
                               static_cast<uint64_t>(meta_.token_bytes), meta_.tokens_hash,
                               hashes)),
      documents_file_(map_checked(folder / "documents.bin", meta_.report.documents,
                                  sizeof(DocumentRecord), meta_.documents_hash, hashes)),
      records_(reinterpret_cast<const DocumentRecord*>(documents_file_.bytes().data()),
               meta_.report.documents),
      labels_(folder / "labels.bin", meta_.labels, meta_.report.documents, hashes),
      adapters_(folder / "adapters.bin", meta_.adapters, meta_.report.documents, hashes) {
  if (!meta_.targets_hash.empty())
    targets_file_ =
        map_checked(folder / "targets.bin", meta_.stored_tokens, 1, meta_.targets_hash, hashes);
}

DocumentNames::DocumentNames(const fs::path& file, const DocumentNamesMeta& meta,
                             uint64_t documents, FileHashes& hashes)
    : path_(file.string()), names_(meta.names) {
  if (!meta.hash.empty()) file_ = map_checked(file, documents, sizeof(uint32_t), meta.hash, hashes);
}

uint32_t DocumentNames::place(uint64_t document) const {
  require(file_ && document < file_->bytes().size() / sizeof(uint32_t),
          "{}: document {} has no name there", path_, document);
  uint32_t place = 0;
  std::memcpy(&place, file_->bytes().data() + document * sizeof(place), sizeof(place));
  require(place < names_.size(), "{}: document {} has the name {} of {}: remove this folder", path_,
          document, place, names_.size());
  return place;
}

template <class Id>
void TokenCache::copy(const DocumentRecord& record, uint64_t begin,
                      std::span<int64_t> tokens) const {
  const std::byte* from = tokens_file_.bytes().data() + (record.begin + begin) * sizeof(Id);
  uint64_t largest = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    Id id;
    std::memcpy(&id, from + i * sizeof(Id), sizeof(Id));
    tokens[i] = id;
    largest = std::max<uint64_t>(largest, id);
  }
  require(tokens.empty() || largest < meta_.token_limit,
          "{}: found the token {}, the largest may be {}: remove this folder, it is damaged",
          folder_, largest, meta_.token_limit - 1);
}

const DocumentRecord& TokenCache::checked(uint64_t document, uint64_t begin, uint64_t count) const {
  const DocumentRecord& record = records_[document];
  const bool inside = record.begin <= meta_.stored_tokens &&
                      record.tokens <= meta_.stored_tokens - record.begin &&
                      begin <= record.tokens && count <= record.tokens - begin;
  require(inside, "{}: document {} lies outside of its file: remove this folder, it is damaged",
          folder_, document);
  return record;
}

void TokenCache::read(uint64_t document, uint64_t begin, std::span<int64_t> tokens) const {
  const DocumentRecord& record = checked(document, begin, tokens.size());
  if (meta_.token_bytes == 2)
    copy<uint16_t>(record, begin, tokens);
  else
    copy<uint32_t>(record, begin, tokens);
}

void TokenCache::read_targets(uint64_t document, uint64_t begin, std::span<uint8_t> targets) const {
  const DocumentRecord& record = checked(document, begin, targets.size());
  if (!targets_file_) {
    std::ranges::fill(targets, uint8_t{1});
    return;
  }
  std::memcpy(targets.data(), targets_file_->bytes().data() + record.begin + begin, targets.size());
}

}  // namespace lathe
