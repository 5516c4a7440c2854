#include "lathe/data/token_cache.h"

#include <gtest/gtest.h>

#include "tests/data/fixture.h"

namespace lathe {
namespace {

std::vector<int64_t> tokens_of(const TokenCache& cache, uint64_t document) {
  std::vector<int64_t> tokens(cache[document].tokens);
  cache.read(document, 0, tokens);
  return tokens;
}

void expect_damaged(const std::filesystem::path& folder) {
  FileHashes hashes(folder / "none.json");
  EXPECT_THROW(TokenCache(folder, hashes), Error);
}

TEST(TokenCache, ids_are_narrow_where_the_vocabulary_fits) {
  TemporaryFolder folder;
  const auto narrow = make_cache(folder / "narrow", {{0, 65535}, {7}}, 65536);
  EXPECT_EQ(fs::file_size(folder / "narrow/tokens.bin"), 6U);
  EXPECT_EQ(tokens_of(*narrow, 0), (std::vector<int64_t>{0, 65535}));
  EXPECT_EQ(tokens_of(*narrow, 1), (std::vector<int64_t>{7}));
  const auto wide = make_cache(folder / "wide", {{65536, 2'000'000}, {7}}, 2'000'001);
  EXPECT_EQ(fs::file_size(folder / "wide/tokens.bin"), 12U);
  EXPECT_EQ(tokens_of(*wide, 0), (std::vector<int64_t>{65536, 2'000'000}));
}

TEST(TokenCache, refuses_ids_outside_of_the_vocabulary) {
  TemporaryFolder folder;
  EXPECT_TRUE(says(message_of([&] {
                     make_cache(folder / "a", {{1, 10}}, 10);
                   }),
                   "the tokenizer gave the token 10, its vocabulary has 10"));
  EXPECT_TRUE(says(message_of([&] { make_cache(folder / "b", {{-1}}, 70000); }), "token -1"));
}

TEST(TokenCache, many_tokens_cross_the_buffers_unharmed) {
  TemporaryFolder folder;
  std::vector<int32_t> tokens(1'200'001);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<int32_t>(i * 31 % 60000);
  const auto cache = make_cache(folder / "a", {{5}, tokens, {6}});
  EXPECT_EQ(tokens_of(*cache, 1), std::vector<int64_t>(tokens.begin(), tokens.end()));
  EXPECT_EQ(tokens_of(*cache, 2), (std::vector<int64_t>{6}));
  EXPECT_EQ(cache->tokens(), tokens.size() + 2);
}

TEST(TokenCache, documents_given_up_or_without_tokens_leave_no_trace) {
  TemporaryFolder folder;
  TokenWriter writer(folder.path(), 100);
  const int32_t tokens[] = {1, 2, 3};
  writer.begin_document(50);
  writer.add("abc", tokens);
  writer.begin_document(50);
  EXPECT_FALSE(writer.end_document(51));
  writer.begin_document(50);
  writer.add("ab", std::span(tokens, 2));
  writer.add("c", std::span(tokens + 2, 1));
  EXPECT_TRUE(writer.end_document(51));
  writer.begin_document(std::nullopt, 2);
  writer.add("abc", tokens);
  EXPECT_TRUE(writer.end_document(std::nullopt));
  writer.finish("key", {});
  FileHashes hashes(folder / "hashes.json");
  const TokenCache cache(folder.path(), hashes);
  EXPECT_EQ(cache.documents(), 2U);
  EXPECT_EQ(cache.tokens(), 8U);
  EXPECT_EQ(tokens_of(cache, 0), (std::vector<int64_t>{50, 1, 2, 3, 51}));
  EXPECT_EQ(cache[0].text_bytes, 3U);
  EXPECT_EQ(cache[1].text_bytes, 1U) << "those that are predicted";
  EXPECT_EQ(cache.report().documents, 2U);
  EXPECT_EQ(cache.report().text_bytes, 6U);
}

TEST(TokenCache, text_hash_does_not_depend_on_pieces_or_tokens) {
  TemporaryFolder folder;
  TokenWriter writer(folder.path(), 100);
  const int32_t token = 1;
  const auto add = [&](std::initializer_list<const char*> pieces, std::optional<int32_t> bos) {
    writer.begin_document(bos);
    for (const char* piece : pieces) writer.add(piece, std::span(&token, 1));
    writer.end_document(std::nullopt);
  };
  add({"one text"}, std::nullopt);
  add({"one", " text"}, 9);
  add({"one texT"}, std::nullopt);
  writer.finish("key", {});
  FileHashes hashes(folder / "hashes.json");
  const TokenCache cache(folder.path(), hashes);
  EXPECT_EQ(cache[0].text_hash, cache[1].text_hash);
  EXPECT_NE(cache[0].text_hash, cache[2].text_hash);
}

TEST(TokenCache, finds_any_changed_missing_or_cut_file) {
  TemporaryFolder folder;
  for (const std::string name : {"tokens.bin", "documents.bin", "meta.json"}) {
    const fs::path whole = folder / ("whole " + name);
    make_cache(whole, {{1, 2, 3}, {4, 5}});
    const std::string content = read_file(whole / name);
    for (size_t i = 0; i < content.size(); i += name == "meta.json" ? 11 : 1) {
      std::string changed = content;
      changed[i] = static_cast<char>(changed[i] ^ 1);
      write_text(whole / name, changed);
      expect_damaged(whole);
    }
    write_text(whole / name, content.substr(0, content.size() - 1));
    expect_damaged(whole);
    write_text(whole / name, content + " ");
    if (name != "meta.json") expect_damaged(whole);
    fs::remove(whole / name);
    expect_damaged(whole);
    write_text(whole / name, content);
    FileHashes hashes(folder / "none.json");
    EXPECT_NO_THROW(TokenCache(whole, hashes));
  }
}

TEST(TokenCache, reading_past_a_document_is_an_error) {
  TemporaryFolder folder;
  const auto cache = make_cache(folder / "a", {{1, 2, 3}, {4, 5}});
  std::vector<int64_t> room(3);
  EXPECT_NO_THROW(cache->read(0, 0, room));
  EXPECT_THROW(cache->read(0, 1, room), Error);
  EXPECT_THROW(cache->read(1, 0, room), Error);
  EXPECT_THROW(cache->read(1, UINT64_MAX, room), Error);
}

}  // namespace
}  // namespace lathe
