// What GPT-2, GPT-NeoX and mixtures of experts do that the golden tests of all families do not
// show.
#include <gtest/gtest.h>

#include "lathe/model/gpt2.h"
#include "lathe/model/moe.h"
#include "tests/model/golden_family.h"
#include "tests/support/errors.h"

namespace lathe {
namespace {

ModelConfig small(const std::string& model_type) {
  ModelConfig c;
  c.model_type = model_type;
  c.vocab_size = 31;
  c.hidden_size = 12;
  c.num_hidden_layers = 8;
  c.num_attention_heads = 2;
  c.max_position_embeddings = 10;
  return c;
}

TEST(Gpt2, has_an_mlp_four_times_as_wide_unless_it_is_said) {
  EXPECT_EQ(complete_config(small("gpt2")).intermediate_size, 48);
}

TEST(Gpt2, draws_what_is_added_to_the_residual_stream_with_a_smaller_deviation) {
  ModelConfig c = small("gpt2");
  c.hidden_size = 64;
  c.initializer_range = 0.5;
  const auto model = new_model(c, 1);
  for (const NamedTensor& weight : model->named_tensors()) {
    if (weight.tensor->dim() < 2) continue;
    const double expected = weight.name.ends_with("c_proj.weight") ? 0.5 / 4 : 0.5;
    EXPECT_NEAR(weight.tensor->std().item<double>(), expected, 0.05 * expected) << weight.name;
  }
}

TEST(Gpt2, refuses_texts_longer_than_its_positions) {
  const auto model = new_model(small("gpt2"), 1);
  const at::NoGradGuard no_grad;
  EXPECT_NO_THROW(model->hidden_states({at::ones({1, 10}, at::kLong), {}, {}}));
  const auto error = [&](const std::function<void()>& run) {
    return says(message_of(run), "this model has learned 10 positions, found a text of 11 tokens");
  };
  EXPECT_TRUE(error([&] { model->hidden_states({at::ones({1, 11}, at::kLong), {}, {}}); }));
  KvCache cache = model->new_cache(1, 20);
  model->hidden_states({at::ones({1, 10}, at::kLong), {}, {}}, &cache);
  EXPECT_TRUE(error([&] { model->hidden_states({at::ones({1, 1}, at::kLong), {}, {}}, &cache); }));
}

TEST(Gpt2, padding_may_stand_behind_its_last_position) {
  const auto model = new_model(small("gpt2"), 1);
  const at::NoGradGuard no_grad;
  KvCache cache = model->new_cache(2, 20);
  model->hidden_states({at::ones({2, 8}, at::kLong), {}, {}, {8, 3}}, &cache);
  EXPECT_NO_THROW(model->hidden_states({at::ones({2, 4}, at::kLong), {}, {}, {2, 4}}, &cache));
  EXPECT_EQ(cache.lengths, std::vector<int64_t>({10, 7}));
}

TEST(Gpt2, reads_what_old_configurations_say_besides) {
  nlohmann::json config = GoldenFamily("gpt2").config();
  config["n_ctx"] = 1024;
  config["reorder_and_upcast_attn"] = true;
  config["summary_type"] = "cls_index";
  config["resid_pdrop"] = 0.1;
  EXPECT_EQ(read_model_config(config), GoldenFamily("gpt2").load()->config());
  config["add_cross_attention"] = true;
  EXPECT_TRUE(says(message_of([&] { read_model_config(config); }), "\"add_cross_attention\""));
}

TEST(Experts, sit_in_every_nth_layer_that_is_not_excepted) {
  ModelConfig c = small("qwen3_moe");
  EXPECT_FALSE(c.has_experts(0));
  c.num_experts = 4;
  EXPECT_TRUE(c.has_experts(0));
  c.decoder_sparse_step = 3;
  c.mlp_only_layers = {5, 6};
  std::vector<int64_t> sparse;
  for (int64_t layer = 0; layer < 12; ++layer)
    if (c.has_experts(layer)) sparse.push_back(layer);
  EXPECT_EQ(sparse, std::vector<int64_t>({2, 8, 11}));
}

TEST(Experts, are_no_more_than_there_are) {
  ModelConfig c = small("mixtral");
  c.intermediate_size = 8;
  c.num_experts = 4;
  EXPECT_TRUE(says(message_of([&] { new_model(c, 1); }), "\"num_experts_per_tok\""));
  c.num_experts_per_tok = 5;
  EXPECT_TRUE(says(message_of([&] { new_model(c, 1); }), "from 1 to num_experts 4, found 5"));
  c.num_experts_per_tok = 4;
  EXPECT_NO_THROW(new_model(c, 1));
}

TEST(Experts, in_a_hostile_configuration_are_refused_before_they_are_made) {
  nlohmann::json config = GoldenFamily("mixtral").config();
  config["num_local_experts"] = 1 << 16;
  config["num_hidden_layers"] = 4096;
  EXPECT_TRUE(says(message_of([&] { read_model_config(config); }), "\"num_experts\""));
}

/// What a mixture computes for one token, expert by expert.
Tensor one_token(const SparseMoe& moe, const Tensor& x) {
  const Tensor probabilities = at::softmax(at::matmul(moe.gate.weight, x), 0);
  auto [weights, which] = probabilities.topk(moe.chosen);
  if (moe.normalised) weights = weights / weights.sum();
  Tensor sum = at::zeros_like(x);
  for (int64_t k = 0; k < moe.chosen; ++k)
    sum +=
        weights[k] * moe.experts[static_cast<size_t>(which[k].item<int64_t>())](x.unsqueeze(0))[0];
  return sum;
}

TEST(Experts, of_many_tokens_at_once_are_those_of_each_token) {
  at::manual_seed(2);
  for (const bool normalised : {false, true}) {
    ModelConfig c = complete_config(small("qwen3_moe"));
    c.intermediate_size = 20;
    c.moe_intermediate_size = 7;
    c.num_experts = 9;  // more than are chosen: some have no token
    c.num_experts_per_tok = 2;
    c.norm_topk_prob = normalised;
    SparseMoe moe(c);
    std::vector<NamedTensor> weights;
    list_tensors(moe, "", weights);
    for (const NamedTensor& weight : weights)
      *weight.tensor = at::randn(weight.tensor->sizes(), at::kDouble);
    const Tensor x = at::randn({2, 3, 12}, at::kDouble);
    const Tensor logits = moe.router_logits(x);
    const Tensor all = moe(x, logits);
    for (const int64_t row : {0, 1})
      for (int64_t t = 0; t < 3; ++t)
        EXPECT_LE(largest_difference(all[row][t], one_token(moe, x[row][t])), 1e-12);
  }
}

TEST(Experts, without_tokens_have_no_gradient) {
  const GoldenFamily golden("mixtral");
  const auto model = golden.load();
  for (const NamedTensor& weight : model->named_tensors()) weight.tensor->requires_grad_();
  model->hidden_states({golden["ids"].narrow(0, 0, 1).narrow(1, 0, 1), {}, {}}).sum().backward();
  int64_t with = 0, without = 0;
  for (const NamedTensor& weight : model->named_tensors())
    if (weight.name.find("experts.") != weight.name.npos)
      (weight.tensor->grad().defined() ? with : without) += 1;
  EXPECT_EQ(with, 2 * 2 * 3);     // layers * chosen experts * matrices
  EXPECT_EQ(without, 2 * 3 * 3);  // layers * other experts * matrices
}

class BFloat16 : public testing::TestWithParam<std::string> {};

TEST_P(BFloat16, is_near_float32_forward_and_backward) {
  const GoldenFamily golden(GetParam());
  std::vector<Tensor> gradients;
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const auto model = golden.load();
    model->set_compute_dtype(dtype);
    for (const NamedTensor& weight : model->named_tensors()) weight.tensor->requires_grad_();
    const Tensor hidden = model->hidden_states({golden["ids"], {}, {}});
    EXPECT_EQ(hidden.scalar_type(), dtype);
    model->cross_entropy(hidden.reshape({-1, hidden.size(2)}), golden["ids"].reshape(-1))
        .backward();
    std::vector<Tensor> flat;
    for (const NamedTensor& weight : model->named_tensors()) {
      EXPECT_EQ(weight.tensor->grad().scalar_type(), at::kFloat) << weight.name;
      flat.push_back(weight.tensor->grad().reshape(-1));
    }
    gradients.push_back(at::cat(flat));
  }
  const double cosine = at::cosine_similarity(gradients[0], gradients[1], 0).item<double>();
  EXPECT_GT(cosine, 0.98);
}

INSTANTIATE_TEST_SUITE_P(Golden, BFloat16, testing::Values("gpt2", "gpt_neox", "mixtral"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace lathe
