// What keeps experts equally busy, against transformers: see tests/golden/families.
#include "lathe/objective/router_balance.h"

#include <gtest/gtest.h>

#include "lathe/objective/next_token.h"
#include "tests/model/golden_family.h"

namespace lathe {
namespace {

class RouterBalance : public testing::TestWithParam<std::string> {
 protected:
  /// The ids of the golden model as one batch, each token but the first of a row a target.
  Batch batch() const {
    const Tensor ids = golden_["ids"];
    Batch batch{.input_ids = ids, .labels = ids.clone(), .position_ids = {}, .segment_ids = {}};
    batch.labels.select(1, 0).fill_(ignored_label);
    batch.target_tokens = ids.numel() - ids.size(0);
    return batch;
  }
  int64_t chosen() const { return golden_.config().at("num_experts_per_tok").get<int64_t>(); }

  const GoldenFamily golden_{GetParam()};
};

TEST_P(RouterBalance, is_the_auxiliary_loss_of_transformers) {
  const auto model = golden_.load();
  const ModelOutput out = model->forward({golden_["ids"], {}, {}}, nullptr);
  const double loss = load_balancing_loss(out.router_logits, chosen(), {}).item<double>();
  EXPECT_NEAR(loss, golden_["aux_loss"].item<double>(), 1e-5);
}

TEST_P(RouterBalance, does_not_count_padding) {
  const auto model = golden_.load();
  model->mutable_config().output_router_logits = true;
  const ModelOutput out = model->forward({golden_["ids"], {}, {}}, nullptr);
  Batch padded = batch();
  padded.segment_ids = at::zeros({2, 20}, at::kInt);
  padded.segment_ids[1].narrow(0, 14, 6).fill_(-1);
  const auto term = router_balance(model->config(), out, padded);
  ASSERT_TRUE(term);
  EXPECT_NEAR(term->sum.item<double>() / model->config().router_aux_loss_coef,
              golden_["aux_loss_masked"].item<double>(), 1e-5);
}

TEST_P(RouterBalance, has_the_gradient_of_transformers) {
  for (const bool again : {false, true}) {
    const auto model = golden_.load(at::kDouble);
    model->set_gradient_checkpointing(again);
    std::map<std::string, Tensor> weights;
    for (const NamedTensor& weight : model->named_tensors())
      weights[weight.name] = weight.tensor->requires_grad_();
    const ModelOutput out = model->forward({golden_["ids"], {}, {}}, nullptr);
    load_balancing_loss(out.router_logits, chosen(), {}).backward();
    int compared = 0;
    for (const auto& [name, weight] : weights) {
      if (!name.ends_with(".gate.weight")) continue;
      // Summed in float32 there.
      const Tensor expected = golden_["aux_gradient." + name];
      EXPECT_LE(largest_difference(weight.grad(), expected), 1e-5) << name;
      EXPECT_GT(expected.abs().max().item<double>(), 1e-3) << name;
      ++compared;
    }
    EXPECT_GE(compared, 1);
  }
}

TEST_P(RouterBalance, is_added_in_training_and_left_out_in_evaluation) {
  const auto model = golden_.load();
  for (const NamedTensor& weight : model->named_tensors()) weight.tensor->requires_grad_();
  NextToken objective;
  const Batch rows = batch();
  EXPECT_EQ(objective(*model, rows, {}).size(), 1) << "the file says: without";
  model->mutable_config().output_router_logits = true;
  const Weights weights = objective.weights(rows);
  double loss = 0;
  for (const Term& term : objective(*model, rows, {}))
    loss += term.sum.item<double>() / weights.at(term.name);
  EXPECT_NEAR(loss, golden_["trained_loss"].item<double>(), 1e-5);
  const at::NoGradGuard evaluation;
  EXPECT_EQ(objective(*model, rows, {}).size(), 1);
}

TEST_P(RouterBalance, is_switched_by_the_key_of_transformers) {
  nlohmann::json file = golden_.config();
  ASSERT_EQ(file.at("output_router_logits"), false);
  for (const bool on : {false, true}) {
    file["output_router_logits"] = on;
    const ModelConfig config = read_model_config(file);
    EXPECT_EQ(config.output_router_logits, on);
    EXPECT_EQ(write_model_config(config, "float32").at("output_router_logits"), on);
  }
  file.erase("output_router_logits");
  EXPECT_EQ(read_model_config(file).output_router_logits, false);
}

TEST_P(RouterBalance, is_added_for_a_new_model_that_gives_it_a_weight) {
  ModelConfig recipe;
  recipe.model_type = GetParam();
  EXPECT_EQ(complete_config(recipe).output_router_logits, false);
  recipe.router_aux_loss_coef = 0.01;
  EXPECT_EQ(complete_config(recipe).output_router_logits, true);
  recipe.output_router_logits = false;
  EXPECT_EQ(complete_config(recipe).output_router_logits, false);
}

INSTANTIATE_TEST_SUITE_P(Golden, RouterBalance, testing::Values("mixtral", "qwen3_moe"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace lathe
