#include "lathe/train/frozen_part.h"

#include <gtest/gtest.h>

#include "lathe/objective/next_token.h"
#include "lathe/train/trainable.h"
#include "tests/data/fixture.h"
#include "tests/support/errors.h"
#include "tests/support/tiny_model.h"

namespace lathe {
namespace {

class FrozenParts : public testing::Test {
 protected:
  FrozenParts() {
    data_.train.emplace_back();
    data_.train[0].documents.add(make_cache(folder_ / "tokens", counting_documents(7, 11), 50));
    options_.max_length = 8;
    options_.packing = false;
    options_.per_device_train_batch_size = 3;
    model_ = new_model(small_config(), 1);
  }

  FrozenPart part(int64_t layers = 1) {
    return frozen_part(*model_, layers, data_, options_, store_);
  }

  /// The losses of the first batches, in float64.
  std::vector<double> losses() {
    const std::unique_ptr<Source> source = training_source(data_, options_, 3);
    NextToken objective;
    std::vector<double> list;
    for (int i = 0; i < 8; ++i)
      for (const Batch& batch : source->next(1)) {
        EXPECT_EQ(batch.states.defined(), data_.states != nullptr);
        list.push_back(objective(*model_, batch, {}).at(0).sum.item<double>());
      }
    return list;
  }

  /// Whether states had to be computed.
  bool makes_states(int64_t layers = 1) {
    uint64_t done = 0;
    store_.progress = [&](uint64_t now, uint64_t /*all*/) { done = now; };
    data_.states = frozen_states(*model_, part(layers), data_, store_);
    return done > 0;
  }

  TemporaryFolder folder_;
  Dataset data_;
  DataOptions options_;
  StateStore store_{.folder = folder_ / "states", .limit = 1'000'000};
  std::unique_ptr<Model> model_;
};

TEST_F(FrozenParts, end_at_the_lowest_weight_that_is_trained) {
  const auto layers = [](Model& model, const std::vector<std::string>& trainable) {
    return frozen_layers(model, trainable_weights(model, trainable));
  };
  EXPECT_EQ(layers(*model_, {"head"}), 2);
  EXPECT_EQ(layers(*model_, {"last_layers(1)", "model.norm.weight"}), 1);
  EXPECT_EQ(layers(*model_, {"*.layers.0.mlp.*", "head"}), 0);
  EXPECT_EQ(layers(*model_, {"model.embed_tokens.weight"}), 0);
  ModelConfig tied = small_config();
  tied.tie_word_embeddings = true;
  EXPECT_EQ(layers(*new_model(tied, 1), {"head"}), 0);
  Tensor of_adapter = at::zeros({1});
  EXPECT_EQ(frozen_layers(*model_, {{"base_model.model.model.layers.1.mlp.x.ia3_l", &of_adapter}}),
            1);
  EXPECT_EQ(frozen_layers(*model_, {{"base_model.model.model.layers.1.mlp.x.ia3_l", &of_adapter},
                                    {"model.embed_tokens.adapters.a.up", &of_adapter}}),
            0);
  EXPECT_EQ(frozen_layers(*model_, {{"base_model.model.lm_head.lora_A.weight", &of_adapter}}), 2);
}

/// To the bit on processors where a product does not add in another order when it has more rows.
TEST_F(FrozenParts, losses_with_kept_states_are_those_without) {
  for (const int64_t layers : {1, 2}) {
    data_.states = nullptr;
    const std::vector<double> expected = losses();
    makes_states(layers);
    const std::vector<double> found = losses();
    for (size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(found.at(i), expected[i], 1e-6 * expected[i]) << layers;
  }
}

TEST_F(FrozenParts, are_computed_once_for_the_same_weights_and_the_same_reading) {
  EXPECT_TRUE(makes_states());
  EXPECT_FALSE(makes_states());
  EXPECT_TRUE(makes_states(2));
  options_.max_length = 9;
  EXPECT_TRUE(makes_states());
  options_.max_length = 8;
  EXPECT_FALSE(makes_states());
  options_.truncation = true;
  EXPECT_TRUE(makes_states());
  options_.truncation = false;
  const auto change = [&](const char* pattern) {
    trainable_weights(*model_, {pattern})[0].tensor->add_(1);
  };
  change("*.layers.1.mlp.up_proj.weight");
  EXPECT_FALSE(makes_states());
  change("*.layers.0.mlp.up_proj.weight");
  EXPECT_TRUE(makes_states());
  change("model.embed_tokens.weight");
  EXPECT_TRUE(makes_states());
  model_->set_compute_dtype(at::kBFloat16);
  EXPECT_TRUE(makes_states());
}

TEST_F(FrozenParts, a_damaged_file_is_made_anew) {
  makes_states();
  const std::vector<double> expected = losses();
  data_.states = nullptr;
  for (const auto& entry : std::filesystem::directory_iterator(store_.folder))
    if (entry.is_directory()) write_text(entry.path() / "states.bin", "not what was written");
  EXPECT_TRUE(makes_states());
  EXPECT_EQ(losses(), expected);
}

TEST_F(FrozenParts, stopping_while_they_are_computed_leaves_nothing) {
  store_.progress = [](uint64_t /*done*/, uint64_t /*all*/) { fail("stopped"); };
  EXPECT_TRUE(says(message_of([&] { frozen_states(*model_, part(), data_, store_); }), "stopped"));
  for (const auto& entry : std::filesystem::directory_iterator(store_.folder))
    EXPECT_FALSE(entry.is_directory()) << entry.path();
}

TEST_F(FrozenParts, what_was_not_used_for_the_longest_time_makes_room) {
  makes_states(1);
  makes_states(2);
  makes_states(1);
  store_.limit = 2 * part().bytes;
  options_.max_length = 9;  // a third one: room for it and one more
  EXPECT_TRUE(makes_states(1));
  options_.max_length = 8;
  EXPECT_FALSE(makes_states(1));
  EXPECT_TRUE(makes_states(2));
}

TEST_F(FrozenParts, obstacles_are_named) {
  EXPECT_EQ(part().obstacle, "");
  store_.limit = part().bytes - 1;
  EXPECT_TRUE(says(part().obstacle, "frozen_cache_limit"));
  store_.limit = 1'000'000;
  options_.packing = true;
  EXPECT_TRUE(says(part().obstacle, "packing: false"));
  EXPECT_TRUE(says(message_of([&] { frozen_states(*model_, part(), data_, store_); }), "packing"));
}

TEST_F(FrozenParts, a_row_without_states_is_read_by_all_layers) {
  makes_states();
  const TokenCache* source = data_.train[0].documents.sources()[0].get();
  const RowPiece whole{{source, 0}, 0, 4};
  const RowPiece cut{{source, 0}, 1, 3};
  EXPECT_TRUE(data_.states->of({{whole}}, 4).defined());
  EXPECT_FALSE(data_.states->of({{whole}, {cut}}, 4).defined());
}

}  // namespace
}  // namespace lathe
