#include "lathe/data/split.h"

#include <gtest/gtest.h>

#include <set>

#include "lathe/base/random.h"
#include "tests/data/fixture.h"

namespace lathe {
namespace {

std::set<int64_t> first_tokens(const DocumentSet& set) {
  std::set<int64_t> tokens;
  for (uint64_t i = 0; i < set.size(); ++i) {
    std::vector<int64_t> token(1);
    set[i].cache->read(set[i].document, 0, token);
    tokens.insert(token[0]);
  }
  return tokens;
}

TEST(Split, holds_out_about_the_share_asked_for) {
  for (const double fraction : {0.01, 0.05, 0.5}) {
    int held_out = 0;
    for (uint64_t i = 0; i < 100'000; ++i)
      held_out += is_held_out(stream_seed(1, "text", i), fraction, 3);
    EXPECT_NEAR(held_out, 100'000 * fraction, 5 * std::sqrt(100'000 * fraction));
  }
}

TEST(Split, sides_are_disjoint_and_complete) {
  TemporaryFolder folder;
  const auto cache = make_cache(folder / "a", counting_documents(300, 12));
  const Split split = split_documents(cache, 0.2, 7);
  EXPECT_EQ(split.train.size() + split.validation.size(), 300U);
  EXPECT_EQ(split.train.tokens() + split.validation.tokens(), cache->tokens());
  std::set<int64_t> all = first_tokens(split.train);
  for (const int64_t token : first_tokens(split.validation)) EXPECT_TRUE(all.insert(token).second);
  EXPECT_EQ(all.size(), 300U);
}

TEST(Split, equal_texts_are_on_one_side_in_any_source) {
  TemporaryFolder folder;
  const auto once = counting_documents(100, 12);
  auto documents = once;
  const Split one = split_documents(make_cache(folder / "a", documents), 0.3, 7);
  documents.insert(documents.end(), once.begin(), once.end());
  std::ranges::reverse(documents);
  const Split two = split_documents(make_cache(folder / "b", documents), 0.3, 7);
  EXPECT_EQ(first_tokens(one.validation), first_tokens(two.validation));
  EXPECT_EQ(first_tokens(one.train), first_tokens(two.train));
  EXPECT_EQ(two.validation.size(), 2 * one.validation.size());
}

TEST(Split, documents_stay_on_their_side_when_others_come) {
  TemporaryFolder folder;
  const Split before = split_documents(make_cache(folder / "a", counting_documents(50, 9)), 0.3, 7);
  const Split after = split_documents(make_cache(folder / "b", counting_documents(99, 9)), 0.3, 7);
  for (const int64_t token : first_tokens(before.validation))
    EXPECT_TRUE(first_tokens(after.validation).contains(token));
  for (const int64_t token : first_tokens(before.train))
    EXPECT_TRUE(first_tokens(after.train).contains(token));
}

TEST(Split, another_seed_holds_out_others) {
  TemporaryFolder folder;
  const auto cache = make_cache(folder / "a", counting_documents(100, 9));
  EXPECT_NE(first_tokens(split_documents(cache, 0.3, 7).validation),
            first_tokens(split_documents(cache, 0.3, 8).validation));
}

TEST(Split, of_nothing_keeps_all_and_refuses_all) {
  TemporaryFolder folder;
  const auto cache = make_cache(folder / "a", counting_documents(10, 9));
  EXPECT_EQ(split_documents(cache, 0, 7).train.size(), 10U);
  EXPECT_THROW(split_documents(cache, 1, 7), Error);
  EXPECT_THROW(split_documents(cache, -0.1, 7), Error);
  EXPECT_THROW(split_documents(cache, std::nan(""), 7), Error);
}

}  // namespace
}  // namespace lathe
