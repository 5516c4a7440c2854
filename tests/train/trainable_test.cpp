#include "lathe/train/trainable.h"

#include <gtest/gtest.h>

#include "lathe/train/loop.h"
#include "tests/support/errors.h"
#include "tests/support/tiny_model.h"

namespace lathe {
namespace {

std::unique_ptr<Model> small_model() {
  ModelConfig config = tiny_config();
  config.num_hidden_layers = 3;
  return new_model(config, 1);
}

std::vector<std::string> names(Model& model, const std::vector<std::string>& chosen) {
  std::vector<std::string> list;
  for (const NamedTensor& weight : trainable_weights(model, chosen)) list.push_back(weight.name);
  return list;
}

using Names = std::vector<std::string>;

TEST(Trainable, layers_are_known_by_names) {
  EXPECT_EQ(layer_of("model.layers.12.mlp.up_proj.weight"), 12);
  EXPECT_EQ(layer_of("transformer.h.3.ln_1.bias"), 3);
  EXPECT_EQ(layer_of("model.embed_tokens.weight"), -1);
  EXPECT_EQ(layer_of("model.norm.weight"), -1);
}

TEST(Trainable, entries_add_up_in_the_order_of_the_model) {
  const auto model = small_model();
  EXPECT_EQ(names(*model, {"head", "model.norm.weight"}),
            Names({"model.norm.weight", "lm_head.weight"}));
  EXPECT_EQ(names(*model, {"all"}).size(), model->named_tensors().size());
  EXPECT_EQ(names(*model, {"*.2.*", "last_layers(1)"}), names(*model, {"last_layers(1)"}));
  for (const std::string& name : names(*model, {"last_layers(2)"})) EXPECT_GE(layer_of(name), 1);
  EXPECT_EQ(names(*model, {"last_layers(2)"}).size(), 18U);
}

TEST(Trainable, entries_that_mean_nothing_are_errors) {
  const auto model = small_model();
  const auto message = [&](const std::vector<std::string>& chosen) {
    return message_of([&] { trainable_weights(*model, chosen); });
  };
  EXPECT_TRUE(says(message({"*.adapter.*"}), "means none of the model's"));
  EXPECT_TRUE(says(message({"last_layers(4)"}), "the model has 3 layers"));
  EXPECT_TRUE(says(message({"last_layers(x)"}), "with a number"));
  EXPECT_TRUE(says(message({}), "found none"));
}

TEST(Trainable, what_is_frozen_has_no_gradient_and_stays_as_it_is) {
  const auto model = small_model();
  Optimizer optimizer = make_optimizer(*model, {.learning_rate = 1}, {"last_layers(1)"});
  std::map<std::string, Tensor> before;
  for (const NamedTensor& weight : model->named_tensors())
    before[weight.name] = weight.tensor->detach().clone();
  const Tensor ids = at::arange(10, at::kLong).view({2, 5});
  model->cross_entropy(model->hidden_states({ids, {}, {}}).reshape({10, 8}), ids.flatten())
      .backward();
  optimizer.step(0.1, 1);
  for (const NamedTensor& weight : model->named_tensors()) {
    const bool frozen = layer_of(weight.name) != 2;
    EXPECT_EQ(at::equal(*weight.tensor, before[weight.name]), frozen) << weight.name;
    EXPECT_EQ(weight.tensor->grad().defined(), !frozen) << weight.name;
  }
}

}  // namespace
}  // namespace lathe
