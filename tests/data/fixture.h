// Small data for the tests of lathe/data.
#pragma once

#include <fstream>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "lathe/base/tensor.h"
#include "lathe/data/document_set.h"
#include "lathe/data/token_writer.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {

inline void write_text(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

/// A cache of documents with these tokens. The text of each is its tokens in decimal.
inline std::shared_ptr<const TokenCache> make_cache(
    const std::filesystem::path& folder, const std::vector<std::vector<int32_t>>& documents,
    int64_t vocab_size = 65536) {
  std::filesystem::create_directories(folder);
  TokenWriter writer(folder, vocab_size);
  for (const std::vector<int32_t>& tokens : documents) {
    writer.begin_document(std::nullopt);
    writer.add(format("{}", fmt::join(tokens, " ")), tokens);
    writer.end_document(std::nullopt);
  }
  writer.finish("key of " + folder.filename().string(), {});
  FileHashes hashes(folder / "hashes.json");
  return std::make_shared<TokenCache>(folder, hashes);
}

/// `count` documents of 1 to `longest` tokens; the tokens are first, first + 1, ... throughout, so
/// that each token says which document and place it comes from.
inline std::vector<std::vector<int32_t>> counting_documents(int count, int longest,
                                                            int32_t first = 0) {
  std::vector<std::vector<int32_t>> documents;
  for (int i = 0; i < count; ++i) {
    std::vector<int32_t> tokens(1 + (i * 7 + 3) % longest);
    for (int32_t& token : tokens) token = first++;
    documents.push_back(std::move(tokens));
  }
  return documents;
}

inline DocumentSet make_set(std::shared_ptr<const TokenCache> cache) {
  DocumentSet set;
  set.add(std::move(cache));
  return set;
}

inline Tensor longs(std::initializer_list<std::initializer_list<int64_t>> rows) {
  std::vector<int64_t> values;
  for (const auto& row : rows) values.insert(values.end(), row.begin(), row.end());
  const auto count = static_cast<int64_t>(rows.size());
  return at::tensor(values, at::kLong).view({count, -1});
}

inline std::vector<int64_t> values(const Tensor& tensor) {
  const Tensor flat = tensor.to(at::kLong).contiguous().view(-1);
  return {flat.data_ptr<int64_t>(), flat.data_ptr<int64_t>() + flat.numel()};
}

}  // namespace lathe
