// Adapters at the output layer, whose logits never exist at once; what they give is in golden_test.
#include <gtest/gtest.h>

#include "lathe/adapt/gguf_lora.h"
#include "lathe/adapt/row_adapters.h"
#include "lathe/io/gguf.h"
#include "lathe/model/files.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

struct AdaptedOutput : testing::Test {
  std::unique_ptr<Model> model = family("llama");
  int64_t vocabulary = model->config().vocab_size;
  // More rows than have their logits at once.
  Tensor hidden = at::linspace(-2, 2, 600 * model->config().hidden_size, at::kFloat)
                      .sin()
                      .view({600, model->config().hidden_size});
  Tensor targets = at::arange(600, at::kLong) % vocabulary;
  std::unique_ptr<Adapter> adapter = make(*model);

  static std::unique_ptr<Model> family(const char* name) {
    return load_model(fs::path(LATHE_TEST_DATA) / "golden" / "families" / name, at::kFloat);
  }
  static std::unique_ptr<Adapter> make(Model& model, double dropout = 0) {
    AdapterOptions options;
    options.peft_type = "LORA";
    options.r = 3;
    options.target_modules = {"lm_head"};
    options.lora_dropout = dropout;
    auto adapter = Adapter::make(model, options, 1);
    for (const NamedTensor& weight : adapter->named_tensors()) {
      weight.tensor->copy_(
          (at::arange(weight.tensor->numel(), at::kFloat) * 0.7).sin().view_as(*weight.tensor));
      weight.tensor->requires_grad_(true);
    }
    return adapter;
  }
  /// The gradients of hidden states and weights.
  std::vector<Tensor> gradients(const Tensor& loss, const Tensor& of) {
    std::vector<Tensor> inputs = {of};
    for (const NamedTensor& weight : adapter->named_tensors()) inputs.push_back(*weight.tensor);
    for (Tensor& each : inputs) each.mutable_grad() = Tensor();
    loss.backward();
    std::vector<Tensor> all;
    for (const Tensor& each : inputs) all.push_back(each.grad().clone());
    return all;
  }
};

TEST_F(AdaptedOutput, loss_and_gradients_are_those_of_all_logits_at_once) {
  const Tensor x = hidden.clone().requires_grad_(true);
  const Tensor loss = model->cross_entropy(x, targets);
  const Tensor whole = at::cross_entropy_loss(model->logits(x), targets, {}, at::Reduction::Sum);
  EXPECT_NEAR(loss.item<double>(), whole.item<double>(), 1e-5 * whole.item<double>());
  const std::vector<Tensor> found = gradients(loss, x), expected = gradients(whole, x);
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_LE((found[i] - expected[i]).abs().max().item<double>(),
              1e-5 * expected[i].abs().max().item<double>())
        << i;
  const at::NoGradGuard no_grad;
  EXPECT_NEAR(model->cross_entropy(hidden, targets).item<double>(), whole.item<double>(),
              1e-5 * whole.item<double>());
}

TEST_F(AdaptedOutput, drops_at_random_where_a_batch_brings_a_seed) {
  adapter.reset();
  adapter = make(*model, 0.5);
  const auto loss = [&](std::optional<uint64_t> seed) {
    return model->cross_entropy(hidden, targets, {}, {.dropout_seed = seed}).item<double>();
  };
  EXPECT_EQ(loss(1), loss(1));
  EXPECT_NE(loss(1), loss(2));
  EXPECT_NE(loss(1), loss({}));
}

TEST_F(AdaptedOutput, is_not_among_all_linear_layers) {
  AdapterOptions options;
  options.peft_type = "LORA";
  options.r = 2;
  for (const Site& site : Adapter::outline(*model, options)->sites())
    EXPECT_NE(site.kind, SiteKind::output) << site.name;
}

TEST_F(AdaptedOutput, of_a_classifier_is_no_site) {
  ModelConfig config = model->config();
  config.labels = {"a", "b"};
  EXPECT_TRUE(says(message_of([&] { make(*new_model(config, 1)); }),
                   "target_modules: lm_head names no linear layer"));
}

TEST_F(AdaptedOutput, is_not_chosen_by_rows) {
  std::vector<std::unique_ptr<Adapter>> list;
  list.push_back(std::move(adapter));
  EXPECT_TRUE(
      says(message_of([&] { RowAdapters rows(list); }), "lm_head reads tokens of all rows"));
}

TEST_F(AdaptedOutput, is_written_for_llama_cpp_where_it_has_weights_of_its_own) {
  const TemporaryFolder folder;
  save_gguf_lora(*model, *adapter, folder / "lora.gguf");
  EXPECT_EQ(GgufFile(folder / "lora.gguf").at("output.weight.lora_b").shape,
            (std::vector<int64_t>{vocabulary, 3}));
  const std::unique_ptr<Model> tied = family("gpt2");
  const auto other = make(*tied);
  EXPECT_TRUE(says(message_of([&] { save_gguf_lora(*tied, *other, folder / "tied.gguf"); }),
                   "embedding and output layer are one"));
}

}  // namespace
}  // namespace lathe
