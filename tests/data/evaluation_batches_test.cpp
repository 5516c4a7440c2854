#include "lathe/data/evaluation_batches.h"

#include <gtest/gtest.h>

#include "tests/data/fixture.h"

namespace lathe {
namespace {

TEST(EvaluationBatches, keep_documents_whole_and_overlap_parts_of_long_ones_by_a_token) {
  TemporaryFolder folder;
  const auto cache = make_cache(folder / "a", {{1, 2, 3}, {4, 5}, {6, 7, 8, 9, 10, 11}, {12}});
  EvaluationBatches batches(make_set(cache), {.max_length = 4, .batch_size = 8, .pad_id = 99});
  const Batch batch = batches.next().value();
  EXPECT_TRUE(
      batch.input_ids.equal(longs({{1, 2, 3, 99}, {4, 5, 99, 99}, {6, 7, 8, 9}, {9, 10, 11, 12}})));
  EXPECT_TRUE(batch.labels.equal(
      longs({{-100, 2, 3, -100}, {-100, 5, -100, -100}, {-100, 7, 8, 9}, {-100, 10, 11, -100}})));
  EXPECT_TRUE(
      batch.position_ids.equal(longs({{0, 1, 2, 0}, {0, 1, 0, 0}, {0, 1, 2, 3}, {0, 1, 2, 0}})));
  EXPECT_TRUE(batch.segment_ids.equal(
      longs({{0, 0, 0, -1}, {0, 0, -1, -1}, {0, 0, 0, 0}, {0, 0, 0, 1}}).to(at::kInt)));
  EXPECT_EQ(batch.target_tokens, 8);
  EXPECT_EQ(batch.text_bytes, 5 + 3 + 13 + 2);
  EXPECT_FALSE(batches.next());
  batches.rewind();
  EXPECT_TRUE(batches.next()->input_ids.equal(batch.input_ids));
}

TEST(EvaluationBatches, count_every_token_and_byte_once_on_any_number_of_ranks) {
  TemporaryFolder folder;
  const auto documents = counting_documents(90, 50);
  const auto cache = make_cache(folder / "a", documents);
  uint64_t bytes = 0;
  for (const auto& tokens : documents) bytes += format("{}", fmt::join(tokens, " ")).size();
  for (const int64_t world : {1, 3, 200}) {
    for (const bool packing : {true, false}) {
      std::vector<int64_t> targets;
      uint64_t seen_bytes = 0;
      for (int64_t rank = 0; rank < world; ++rank) {
        EvaluationBatches batches(
            make_set(cache),
            {.max_length = 16, .batch_size = 3, .packing = packing, .rank = rank, .world = world});
        while (const auto batch = batches.next()) {
          EXPECT_LE(batch->rows(), 3);
          const size_t before = targets.size();
          for (const int64_t label : values(batch->labels))
            if (label != ignored_label) targets.push_back(label);
          EXPECT_EQ(batch->target_tokens, static_cast<int64_t>(targets.size() - before));
          seen_bytes += batch->text_bytes.value();
        }
      }
      std::ranges::sort(targets);
      std::vector<int64_t> expected;
      for (const auto& tokens : documents)
        expected.insert(expected.end(), tokens.begin() + 1, tokens.end());
      EXPECT_EQ(targets, expected);
      EXPECT_EQ(seen_bytes, bytes);
    }
  }
}

TEST(EvaluationBatches, of_no_documents_are_none) {
  EvaluationBatches batches({}, {});
  EXPECT_FALSE(batches.next());
}

}  // namespace
}  // namespace lathe
