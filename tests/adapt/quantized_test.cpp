// Adapters beside a quantised model (QLoRA, Dettmers et al. 2023, arXiv:2305.14314).
#include "lathe/ops/quantized.h"

#include <gtest/gtest.h>

#include "lathe/adapt/adapter.h"
#include "lathe/model/files.h"
#include "lathe/optim/optimizer.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_model.h"

namespace lathe {
namespace {

class QuantizedBase : public testing::Test {
 protected:
  QuantizedBase() {
    ModelConfig config = small_config();
    config.hidden_size = 32;  // a whole block of the embedding
    config.tie_word_embeddings = true;
    save_model(*new_model(config, 1), folder_.path());
    model_ = load(WeightFormat::nf4);
  }
  std::unique_ptr<Model> load(WeightFormat format) const {
    return load_model(folder_.path(), at::kFloat, WeightMemory::owned, format);
  }
  static AdapterOptions lora() {
    AdapterOptions options;
    options.peft_type = "LORA";
    options.r = 4;
    options.target_modules = {"all-linear"};
    return options;
  }
  Tensor hidden(Model& model) const { return model.hidden_states({ids_, {}, {}}); }
  Tensor loss(Model& model) const {
    return model.cross_entropy(hidden(model).reshape({-1, 32}), ids_.roll(-1, 1).reshape(-1));
  }
  std::vector<std::pair<std::string, Tensor>> learning(Adapter& adapter) const {
    std::vector<std::pair<std::string, Tensor>> weights;
    for (const NamedTensor& weight : adapter.named_tensors()) {
      weight.tensor->requires_grad_(true);
      weights.emplace_back(weight.name, *weight.tensor);
    }
    return weights;
  }

  TemporaryFolder folder_;
  std::unique_ptr<Model> model_;
  Tensor ids_ = at::arange(24, at::kLong).remainder(11).view({2, 12});
};

TEST_F(QuantizedBase, lora_learns_and_its_files_load_with_either_base) {
  const auto adapter = Adapter::make(*model_, lora(), 1);
  Optimizer optimizer(learning(*adapter), {});
  const double before = loss(*model_).item<double>();
  for (int step = 0; step < 40; ++step) {
    loss(*model_).backward();
    optimizer.step(2e-2, 1.0 / 24);
  }
  const double after = loss(*model_).item<double>();
  EXPECT_LT(after, 0.9 * before);
  const Tensor expected = hidden(*model_).detach();
  const TemporaryFolder saved;
  adapter->save(saved.path(), "base");
  const auto again = load(WeightFormat::nf4), plain = load(WeightFormat::plain);
  const auto beside_quantized = Adapter::load(*again, saved.path());
  EXPECT_TRUE(at::equal(hidden(*again).detach(), expected));
  const auto beside_plain = Adapter::load(*plain, saved.path());
  EXPECT_LT(loss(*plain).item<double>(), 0.9 * before);
}

TEST_F(QuantizedBase, gradients_are_those_of_the_decoded_base) {
  const auto plain = load(WeightFormat::plain);
  const std::vector<NamedTensor> from = model_->named_tensors(), to = plain->named_tensors();
  for (size_t i = 0; i < from.size(); ++i) *to[i].tensor = from[i].numbers();
  const auto first = Adapter::make(*model_, lora(), 1), second = Adapter::make(*plain, lora(), 1);
  const auto a = learning(*first), b = learning(*second);
  loss(*model_).backward();
  loss(*plain).backward();
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_TRUE(at::allclose(a[i].second.grad(), b[i].second.grad(), 1e-4, 1e-6)) << a[i].first;
}

TEST_F(QuantizedBase, every_kind_begins_with_the_model_as_it_is) {
  const Tensor before = hidden(*model_).detach();
  AdapterOptions dora = lora(), pissa = lora(), embedding = lora(), saved = lora(), ia3;
  dora.use_dora = true;
  pissa.init_lora_weights = "pissa";
  embedding.target_modules = {"q_proj", "embed_tokens"};
  saved.modules_to_save = {"layers.1.mlp.down_proj"};
  ia3.peft_type = "IA3";
  for (const AdapterOptions& options : {dora, pissa, embedding, saved, ia3}) {
    const auto adapter = Adapter::make(*model_, options, 1);
    EXPECT_TRUE(at::allclose(hidden(*model_).detach(), before, 1e-4, 1e-5));
    const TemporaryFolder files;
    adapter->save(files.path(), "base");
    const auto again = load(WeightFormat::nf4);
    const auto loaded = Adapter::load(*again, files.path());
    EXPECT_TRUE(at::allclose(hidden(*again).detach(), before, 1e-4, 1e-5));
  }
  EXPECT_TRUE(at::equal(hidden(*model_).detach(), before)) << "they are gone";
}

TEST_F(QuantizedBase, a_module_that_is_saved_with_the_adapter_is_decoded_and_trained) {
  AdapterOptions options = lora();
  options.modules_to_save = {"layers.1.mlp.down_proj"};
  options.target_modules = {"q_proj"};
  const auto adapter = Adapter::make(*model_, options, 1);
  const NamedTensor weight = adapter->named_tensors().back();
  EXPECT_TRUE(weight.name.ends_with("down_proj.weight"));
  EXPECT_FALSE(ops::is_quantized(*weight.tensor));
  learning(*adapter);
  loss(*model_).backward();
  EXPECT_TRUE(weight.tensor->grad().defined());
}

TEST_F(QuantizedBase, merging_and_training_its_weights_are_errors_that_say_what_to_do) {
  const auto adapter = Adapter::make(*model_, lora(), 1);
  EXPECT_TRUE(says(message_of([&] { adapter->merge(); }),
                   "open the model without load_in_4bit and keep_quantized"));
  for (const NamedTensor& weight : model_->named_tensors()) {
    if (!ops::is_quantized(*weight.tensor)) continue;
    EXPECT_TRUE(says(message_of([&] {
                       Optimizer({{weight.name, *weight.tensor}}, {});
                     }),
                     "a quantised weight cannot be trained: train an adapter"));
  }
}

}  // namespace
}  // namespace lathe
