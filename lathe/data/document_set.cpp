#include "lathe/data/document_set.h"

#include <algorithm>

#include "lathe/base/error.h"
#include "lathe/base/hash.h"

namespace lathe {

void DocumentSet::add(std::shared_ptr<const TokenCache> cache) {
  size_ += cache->documents();
  tokens_ += cache->tokens();
  parts_.push_back({std::move(cache), nullptr, size_});
}

void DocumentSet::add(std::shared_ptr<const TokenCache> cache, std::vector<uint32_t> documents) {
  if (documents.empty()) return;
  for (const uint32_t document : documents) {
    require(document < cache->documents(), "document {} of {}", document, cache->documents());
    tokens_ += (*cache)[document].tokens;
  }
  size_ += documents.size();
  parts_.push_back({std::move(cache),
                    std::make_shared<const std::vector<uint32_t>>(std::move(documents)), size_});
}

void DocumentSet::add(const DocumentSet& other) {
  const uint64_t before = size_;
  for (Part part : other.parts_) {
    part.end += before;
    parts_.push_back(std::move(part));
  }
  size_ += other.size_;
  tokens_ += other.tokens_;
}

DocumentRef DocumentSet::operator[](uint64_t i) const {
  require(i < size_, "document {} of {}", i, size_);
  const auto part = std::ranges::upper_bound(parts_, i, {}, &Part::end);
  const uint64_t begin = part == parts_.begin() ? 0 : std::prev(part)->end;
  const uint64_t at = i - begin;
  return {part->cache.get(), part->chosen ? (*part->chosen)[at] : at};
}

bool DocumentSet::keeps_some_whole() const {
  return std::ranges::any_of(parts_, [](const Part& part) { return part.cache->keeps_whole(); });
}

bool DocumentSet::keeps_all_whole() const {
  return std::ranges::all_of(parts_, [](const Part& part) { return part.cache->keeps_whole(); });
}

std::vector<std::shared_ptr<const TokenCache>> DocumentSet::sources() const {
  std::vector<std::shared_ptr<const TokenCache>> list;
  for (const Part& part : parts_) list.push_back(part.cache);
  return list;
}

void DocumentSet::add_labels(std::set<std::string>& labels) const {
  for (const Part& part : parts_)
    labels.insert(part.cache->labels().all().begin(), part.cache->labels().all().end());
}

DocumentSet DocumentSet::of_adapter(const std::string& name) const {
  DocumentSet set;
  for (const Part& part : parts_) {
    const DocumentNames& names = part.cache->adapters();
    const auto place = std::ranges::find(names.all(), name) - names.all().begin();
    std::vector<uint32_t> chosen;
    const uint64_t documents = part.chosen ? part.chosen->size() : part.cache->documents();
    for (uint64_t i = 0; i < documents; ++i) {
      const auto document = part.chosen ? (*part.chosen)[i] : static_cast<uint32_t>(i);
      if (names.place(document) == place) chosen.push_back(document);
    }
    set.add(part.cache, std::move(chosen));
  }
  return set;
}

std::string DocumentSet::fingerprint() const {
  Hasher hasher;
  for (const Part& part : parts_) {
    hasher.add(part.cache->key()).add(part.chosen ? "some" : "all");
    if (part.chosen) hasher.add(std::as_bytes(std::span(*part.chosen)));
  }
  return hasher.hex();
}

}  // namespace lathe
