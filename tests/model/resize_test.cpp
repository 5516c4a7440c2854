#include "lathe/model/resize.h"

#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace lathe {
namespace {

class ResizeTokenEmbeddings : public testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<Model> model_ = [] {
    ModelConfig c;
    c.vocab_size = 10;
    c.hidden_size = 8;
    c.intermediate_size = 12;
    c.num_hidden_layers = 1;
    c.num_attention_heads = 2;
    c.tie_word_embeddings = GetParam();
    return new_model(c, 1);
  }();
};

INSTANTIATE_TEST_SUITE_P(Tied, ResizeTokenEmbeddings, testing::Bool());

TEST_P(ResizeTokenEmbeddings, keeps_the_old_logits_and_gives_new_tokens_their_mean) {
  const at::NoGradGuard no_grad;
  const Tensor ids = at::tensor({1, 2, 3}, at::kLong).unsqueeze(0);
  const Tensor before = model_->logits(model_->hidden_states({ids, {}, {}}));
  resize_token_embeddings(*model_, 13);
  EXPECT_EQ(model_->config().vocab_size, 13);
  const Tensor after = model_->logits(model_->hidden_states({ids, {}, {}}));
  ASSERT_EQ(after.size(-1), 13);
  // Products of other sizes may add in another order.
  EXPECT_TRUE(at::allclose(after.narrow(-1, 0, 10), before, 1e-6, 1e-7));
  EXPECT_TRUE(at::allclose(after.select(-1, 12), before.mean(-1), 1e-5, 1e-6));
  const Tensor added = at::tensor({11}, at::kLong).unsqueeze(0);
  EXPECT_TRUE(model_->hidden_states({added, {}, {}}).isfinite().all().item<bool>());
}

TEST_P(ResizeTokenEmbeddings, never_drops_tokens) {
  EXPECT_TRUE(says(message_of([&] { resize_token_embeddings(*model_, 9); }), "at least the 10"));
}

}  // namespace
}  // namespace lathe
