#include "lathe/data/document_source.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/data/fixture.h"

namespace lathe {
namespace {

using nlohmann::json;

struct SourceTest : testing::Test {
  TemporaryFolder folder;

  Pool pool(const std::string& name, const std::vector<std::vector<int32_t>>& documents,
            double weight = 1) {
    return {make_set(make_cache(folder / name, documents)), weight};
  }
  std::vector<Pool> mixture() {
    return {pool("a", counting_documents(23, 19), 3), pool("b", counting_documents(7, 60, 1000), 1),
            pool("c", counting_documents(3, 5, 3000), 0.25)};
  }
};

/// What of a batch a model sees, to compare streams by.
std::vector<int64_t> content(const Batch& batch) {
  std::vector<int64_t> all;
  for (const Tensor& tensor :
       {batch.input_ids, batch.labels, batch.position_ids, batch.segment_ids})
    for (const int64_t value : values(tensor)) all.push_back(value);
  all.push_back(batch.target_tokens);
  return all;
}

TEST_F(SourceTest, borders_of_documents_in_packed_rows) {
  DocumentSource source({pool("a", {{1, 2, 3}, {4}, {5, 6, 7, 8, 9, 10, 11}, {12}})},
                        {.max_length = 6, .batch_size = 2}, 0, /*shuffle=*/false);
  const Batch batch = source.next(1).at(0);
  EXPECT_TRUE(batch.input_ids.equal(longs({{1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12}})));
  EXPECT_TRUE(batch.labels.equal(longs({{-100, 2, 3, -100, -100, 6}, {-100, 8, 9, 10, 11, -100}})));
  EXPECT_TRUE(batch.position_ids.equal(longs({{0, 1, 2, 0, 0, 1}, {0, 1, 2, 3, 4, 0}})));
  EXPECT_TRUE(
      batch.segment_ids.equal(longs({{0, 0, 0, 1, 2, 2}, {0, 0, 0, 0, 0, 1}}).to(at::kInt)));
  EXPECT_EQ(batch.segment_ids.scalar_type(), at::kInt);
  EXPECT_EQ(batch.target_tokens, 7);
  EXPECT_EQ(batch.target_tokens, (batch.labels != ignored_label).sum().item<int64_t>());
}

TEST_F(SourceTest, rows_without_packing_are_padded) {
  const std::vector<Pool> pools = {pool("a", {{1, 2, 3}, {4, 5, 6, 7, 8, 9}, {10}})};
  const RowOptions options{.max_length = 4, .batch_size = 4, .packing = false, .pad_id = 99};
  DocumentSource source(pools, options, 0, /*shuffle=*/false);
  const Batch batch = source.next(1).at(0);
  EXPECT_TRUE(batch.input_ids.equal(
      longs({{1, 2, 3, 99}, {4, 5, 6, 7}, {8, 9, 99, 99}, {10, 99, 99, 99}})));
  EXPECT_TRUE(batch.labels.equal(longs(
      {{-100, 2, 3, -100}, {-100, 5, 6, 7}, {-100, 9, -100, -100}, {-100, -100, -100, -100}})));
  EXPECT_TRUE(
      batch.position_ids.equal(longs({{0, 1, 2, 0}, {0, 1, 2, 3}, {0, 1, 0, 0}, {0, 0, 0, 0}})));
  EXPECT_TRUE(batch.segment_ids.equal(
      longs({{0, 0, 0, -1}, {0, 0, 0, 0}, {0, 0, -1, -1}, {0, -1, -1, -1}}).to(at::kInt)));
  EXPECT_EQ(source.rows_per_epoch(), 4);
  EXPECT_EQ(source.epoch(), 1);
}

TEST_F(SourceTest, truncation_gives_each_document_one_row) {
  RowOptions options{.max_length = 4, .batch_size = 3, .packing = false, .truncation = true};
  DocumentSource source({pool("a", {{1, 2, 3}, {4, 5, 6, 7, 8, 9}, {10}})}, options, 0, false);
  const Batch batch = source.next(1).at(0);
  EXPECT_TRUE(batch.input_ids.equal(longs({{1, 2, 3, 0}, {4, 5, 6, 7}, {10, 0, 0, 0}})));
  EXPECT_EQ(source.rows_per_epoch(), 3);
  EXPECT_TRUE(source.next(1).at(0).input_ids.equal(batch.input_ids));
}

TEST_F(SourceTest, every_token_of_an_epoch_appears_once) {
  const auto documents = counting_documents(101, 37);
  const int64_t tokens = documents.back().back() + 1;
  DocumentSource source({pool("a", documents)}, {.max_length = 16, .batch_size = 1}, 5, true);
  EXPECT_EQ(source.rows_per_epoch(), (tokens + 15) / 16);
  std::vector<int64_t> seen;
  while (static_cast<int64_t>(seen.size()) < 3 * tokens)
    for (const int64_t token : values(source.next(1).at(0).input_ids)) seen.push_back(token);
  std::vector<std::vector<int64_t>> orders;
  for (int epoch = 0; epoch < 3; ++epoch) {
    const std::vector<int64_t> order(seen.begin() + epoch * tokens,
                                     seen.begin() + (epoch + 1) * tokens);
    EXPECT_EQ(std::set<int64_t>(order.begin(), order.end()).size(), static_cast<size_t>(tokens));
    EXPECT_FALSE(std::ranges::is_sorted(order));
    orders.push_back(order);
  }
  EXPECT_NE(orders[0], orders[1]);
  EXPECT_NE(orders[1], orders[2]);
}

TEST_F(SourceTest, without_shuffling_the_order_is_that_of_the_files) {
  const auto documents = counting_documents(11, 9);
  const int64_t tokens = documents.back().back() + 1;
  DocumentSource source({pool("a", documents)}, {.max_length = 5, .batch_size = 1}, 5, false);
  for (int64_t i = 0; i < 40; ++i)
    EXPECT_EQ(values(source.next(1).at(0).input_ids).front(), 5 * i % tokens);
}

TEST_F(SourceTest, the_seed_decides_the_order) {
  const std::vector<Pool> pools = mixture();
  const RowOptions options{.max_length = 8, .batch_size = 4};
  DocumentSource one(pools, options, 1, true), again(pools, options, 1, true),
      two(pools, options, 2, true);
  const auto first = content(one.next(1).at(0));
  EXPECT_EQ(first, content(again.next(1).at(0)));
  EXPECT_NE(first, content(two.next(1).at(0)));
}

TEST_F(SourceTest, resumes_exactly_at_any_point) {
  for (const bool packing : {true, false}) {
    for (const bool truncation : {true, false}) {
      const std::vector<Pool> pools = mixture();
      const RowOptions options{
          .max_length = 13, .batch_size = 2, .packing = packing, .truncation = truncation};
      DocumentSource source(pools, options, 9, true);
      std::vector<std::vector<int64_t>> stream;
      std::vector<std::string> states;
      for (int i = 0; i < 200; ++i) {
        states.push_back(source.state().dump());
        stream.push_back(content(source.next(1).at(0)));
      }
      EXPECT_GT(source.epoch(), 2);
      for (size_t k = 0; k < 200; k += k < 40 ? 1 : 17) {
        DocumentSource resumed(pools, options, 9, true);
        resumed.next(3);  // wherever it stood
        resumed.restore(json::parse(states[k]));
        EXPECT_EQ(resumed.state().dump(), states[k]);
        for (size_t i = k; i < std::min<size_t>(k + 60, 200); ++i)
          ASSERT_EQ(content(resumed.next(1).at(0)), stream[i]) << "from " << k << " at " << i;
      }
    }
  }
}

TEST_F(SourceTest, micro_batches_are_the_batches_in_order) {
  const std::vector<Pool> pools = mixture();
  const RowOptions options{.max_length = 13, .batch_size = 2};
  DocumentSource together(pools, options, 9, true), alone(pools, options, 9, true);
  const std::vector<Batch> batches = together.next(5);
  ASSERT_EQ(batches.size(), 5U);
  for (const Batch& batch : batches) EXPECT_EQ(content(batch), content(alone.next(1).at(0)));
  EXPECT_EQ(together.state(), alone.state());
}

TEST_F(SourceTest, ranks_share_out_the_rows) {
  const std::vector<Pool> pools = mixture();
  RowOptions options{.max_length = 13, .batch_size = 6};
  DocumentSource whole(pools, options, 9, true);
  options.batch_size = 2;
  options.world = 3;
  std::vector<DocumentSource> ranks;
  for (options.rank = 0; options.rank < 3; ++options.rank)
    ranks.emplace_back(pools, options, 9, true);
  for (int step = 0; step < 20; ++step) {
    const Tensor rows = whole.next(1).at(0).input_ids;
    for (int64_t rank = 0; rank < 3; ++rank)
      EXPECT_TRUE(ranks[rank].next(1).at(0).input_ids.equal(rows.slice(0, rank, std::nullopt, 3)));
    for (const DocumentSource& rank : ranks) EXPECT_EQ(rank.state(), whole.state());
  }
}

TEST_F(SourceTest, mixture_keeps_to_the_weights_at_every_moment) {
  DocumentSource source(mixture(), {.max_length = 8, .batch_size = 1}, 4, true);
  std::array<int, 3> rows{};
  for (int i = 1; i <= 2000; ++i) {
    const int64_t first = values(source.next(1).at(0).input_ids).front();
    ++rows.at(first >= 3000 ? 2 : first >= 1000 ? 1 : 0);
    EXPECT_NEAR(rows[0], i * 3 / 4.25, 4);
    EXPECT_NEAR(rows[1], i * 1 / 4.25, 4);
    EXPECT_NEAR(rows[2], i * 0.25 / 4.25, 4);
  }
}

TEST_F(SourceTest, in_a_mixture_each_pool_goes_through_its_own_epochs) {
  DocumentSource source(mixture(), {.max_length = 8, .batch_size = 1}, 4, true);
  const auto documents = counting_documents(7, 60, 1000);
  const size_t tokens = documents.back().back() + 1 - 1000;
  std::vector<int64_t> seen;
  while (seen.size() < 2 * tokens)
    for (const int64_t token : values(source.next(1).at(0).input_ids))
      if (token >= 1000 && token < 3000) seen.push_back(token);
  EXPECT_EQ(std::set<int64_t>(seen.begin(), seen.begin() + tokens).size(), tokens);
  EXPECT_EQ(std::set<int64_t>(seen.begin() + tokens, seen.begin() + 2 * tokens).size(), tokens);
}

TEST_F(SourceTest, a_vanishing_weight_gets_rows_too) {
  DocumentSource source({pool("a", {{1, 1}}, 1), pool("b", {{2, 2}}, 1e-3)},
                        {.max_length = 2, .batch_size = 1}, 4, true);
  int rare = 0;
  for (int i = 0; i < 20000; ++i) rare += values(source.next(1).at(0).input_ids)[0] == 2;
  EXPECT_NEAR(rare, 20, 4);
}

TEST_F(SourceTest, refuses_a_state_of_other_data) {
  const RowOptions options{.max_length = 8, .batch_size = 1};
  DocumentSource source({pool("a", {{1, 2, 3}})}, options, 4, true);
  const json state = source.state();
  const auto message = [&](std::vector<Pool> pools, const RowOptions& other, uint64_t seed) {
    DocumentSource changed(std::move(pools), other, seed, true);
    return message_of([&] { changed.restore(state); });
  };
  const std::string expected = "restoring the position in the data: the data, or how";
  EXPECT_TRUE(says(message({pool("a", {{1, 2, 3}})}, options, 5), expected));
  EXPECT_TRUE(says(message({pool("b", {{1, 2, 3}})}, options, 4), expected));
  EXPECT_TRUE(says(message({pool("a", {{1, 2, 3}}, 2)}, options, 4), expected));
  EXPECT_TRUE(says(message({pool("a", {{1, 2, 3}})}, {.max_length = 9}, 4), expected));
  EXPECT_EQ(message({pool("a", {{1, 2, 3}})}, {.max_length = 8, .batch_size = 2}, 4), "no error");
}

TEST_F(SourceTest, refuses_a_damaged_state) {
  DocumentSource source({pool("a", {{1, 2, 3}, {4}})}, {.max_length = 8, .batch_size = 1}, 4, true);
  source.next(2);
  const json good = source.state();
  for (const auto& [pointer, value, part] : std::vector<std::tuple<const char*, json, const char*>>{
           {"/row", -1, "\"row\": expected an integer >= 0"},
           {"/row", "x", "\"row\""},
           {"/pools", json::array(), "\"pools\": expected 1 entries, found 0"},
           {"/pools/0/position", 2, "expected a document below 2, found 2"},
           {"/pools/0/position", 1e300, "\"position\""},
           {"/pools/0/offset", 3, "expected a token below"},
           {"/pools/0/epoch", -1, "\"epoch\""},
           {"/data", nullptr, "\"data\""}}) {
    json bad = good;
    bad[json::json_pointer(pointer)] = value;
    EXPECT_TRUE(says(message_of([&] { source.restore(bad); }), part)) << pointer << " " << value;
    EXPECT_EQ(source.state(), good);
  }
}

TEST_F(SourceTest, refuses_impossible_options) {
  const std::vector<Pool> pools = {pool("a", {{1, 2, 3}})};
  const auto message = [](const std::vector<Pool>& pools, const RowOptions& options) {
    return message_of([&] { DocumentSource(pools, options, 0, true); });
  };
  EXPECT_TRUE(says(message(pools, {.max_length = 1}), "max_length: expected 2 to"));
  EXPECT_TRUE(says(message(pools, {.batch_size = 0}), "batch size: expected at least 1 row"));
  EXPECT_TRUE(
      says(message(pools, {.rank = 2, .world = 2}), "expected a rank from 0 to 1, found 2"));
  EXPECT_TRUE(says(message({}, {}), "there are no documents to train on"));
  EXPECT_TRUE(says(message({Pool{}}, {}), "there are no documents to train on"));
  for (const double weight : {0.0, -1.0, std::nan(""), HUGE_VAL})
    EXPECT_TRUE(says(message({pool("a", {{1, 2}}, weight)}, {}), "weight: expected a number > 0"));
}

}  // namespace
}  // namespace lathe
