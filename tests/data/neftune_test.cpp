#include "lathe/data/neftune.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lathe/data/document_source.h"
#include "tests/data/fixture.h"

namespace lathe {
namespace {

constexpr int64_t hidden = 400;

TEST(Neftune, noise_is_uniform_and_as_large_as_the_length_of_each_text_says) {
  Batch batch;
  batch.segment_ids = longs({{0, 0, 0, 0, 1, 1, -1}, {0, 0, 0, 0, 0, 0, 0}}).to(at::kInt);
  batch.input_ids = at::zeros({2, 7}, at::kLong);
  const Tensor noise = neftune_noise(batch, 5, hidden, 1);
  ASSERT_EQ(noise.sizes().vec(), std::vector<int64_t>({2, 7, hidden}));
  const auto expect_uniform = [&](const Tensor& part, int64_t tokens) {
    const double limit = 5 / std::sqrt(static_cast<double>(tokens * hidden));
    EXPECT_LE(part.abs().max().item<double>(), limit * (1 + 1e-6));
    EXPECT_NEAR(part.abs().mean().item<double>(), limit / 2, limit * 0.05);
    EXPECT_NEAR(part.mean().item<double>(), 0, limit * 0.1);
  };
  expect_uniform(noise[0].narrow(0, 0, 4), 4);
  expect_uniform(noise[0].narrow(0, 4, 2), 2);
  expect_uniform(noise[1], 7);
  EXPECT_TRUE(at::equal(noise[0][6], at::zeros({hidden})));
}

TEST(Neftune, noise_is_new_in_each_batch_and_the_same_after_going_back) {
  const TemporaryFolder folder;
  const auto source = [&] {
    return with_neftune_noise(
        std::make_unique<DocumentSource>(
            std::vector<Pool>{{make_set(make_cache(folder / "a", counting_documents(9, 12))), 1}},
            RowOptions{.max_length = 16, .batch_size = 2}, 3, true),
        5, hidden, 7);
  };
  const std::unique_ptr<Source> first = source();
  const Tensor a = first->next(1)[0].embedding_noise;
  const nlohmann::json state = first->state();
  const Batch b = first->next(2)[1];
  EXPECT_FALSE(at::equal(a, b.embedding_noise));
  const std::unique_ptr<Source> second = source();
  second->restore(state);
  const Batch again = second->next(2)[1];
  EXPECT_TRUE(at::equal(again.embedding_noise, b.embedding_noise));
  EXPECT_TRUE(at::equal(again.input_ids, b.input_ids));
}

}  // namespace
}  // namespace lathe
