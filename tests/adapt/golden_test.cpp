// Adapters against PEFT: see tests/golden/adapters.
#include <gtest/gtest.h>

#include "lathe/adapt/adapter.h"
#include "lathe/io/safetensors.h"
#include "lathe/model/files.h"
#include "lathe/optim/optimizer.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

const fs::path golden_folder = fs::path(LATHE_TEST_DATA) / "golden";

/// The largest difference, in parts of the largest value.
double difference(const Tensor& found, const Tensor& expected) {
  return ((found - expected).abs().max() / expected.abs().max()).item<double>();
}

class Adapters : public testing::TestWithParam<std::string> {
 protected:
  Adapters() : file_(folder() / "golden.safetensors") {
    const std::string family = GetParam().substr(0, GetParam().find('.'));
    model_ = load_model(golden_folder / "families" / family, at::kFloat);
    adapter_ = Adapter::load(*model_, folder());
  }

  static fs::path folder() { return golden_folder / "adapters" / GetParam(); }
  Tensor golden(const std::string& name) const {
    const TensorInfo& info = file_.at(name);
    return tensor_of(info, file_.data(info)).clone();
  }

  Tensor logits() const { return model_->logits(model_->hidden_states({golden("ids"), {}, {}})); }

  Tensor loss() const {
    const Tensor ids = golden("ids"), hidden = model_->hidden_states({ids, {}, {}});
    const Tensor before = hidden.narrow(1, 0, ids.size(1) - 1);
    const Tensor targets = ids.narrow(1, 1, ids.size(1) - 1).reshape(-1);
    return model_->cross_entropy(before.reshape({-1, hidden.size(2)}), targets) /
           static_cast<double>(targets.numel());
  }

  const SafetensorsFile file_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Adapter> adapter_;
};

TEST_P(Adapters, give_the_logits_and_gradients_of_peft) {
  EXPECT_LE(difference(logits().detach(), golden("logits")), 1e-5);
  for (const NamedTensor& weight : adapter_->named_tensors()) weight.tensor->requires_grad_(true);
  loss().backward();
  for (const NamedTensor& weight : adapter_->named_tensors())
    EXPECT_LE(difference(weight.tensor->grad(), golden("gradient." + weight.name)), 1e-5)
        << weight.name;
}

TEST_P(Adapters, learn_as_with_peft) {
  std::vector<std::pair<std::string, Tensor>> weights;
  for (const NamedTensor& weight : adapter_->named_tensors()) {
    weight.tensor->requires_grad_(true);
    weights.emplace_back(weight.name, *weight.tensor);
  }
  Optimizer optimizer(weights, {});
  const Tensor losses = golden("losses");
  for (int64_t step = 0; step < losses.numel(); ++step) {
    const Tensor found = loss();
    found.backward();
    optimizer.step(1e-2, 1);
    const auto expected = losses[step].item<double>();
    EXPECT_NEAR(found.item<double>(), expected, 5e-5 * expected) << step;
  }
  for (const NamedTensor& weight : adapter_->named_tensors())
    EXPECT_LE(difference(weight.tensor->detach(), golden("trained." + weight.name)), 1e-3)
        << weight.name;
}

TEST_P(Adapters, are_saved_as_they_were_loaded) {
  const TemporaryFolder out;
  adapter_->save(out.path(), "base");
  const Tensor expected = logits().detach();
  adapter_.reset();
  EXPECT_GT(difference(logits().detach(), expected), 1e-3) << "without it the model is the base";
  adapter_ = Adapter::load(*model_, out.path());
  EXPECT_TRUE(at::equal(logits().detach(), expected));
  const SafetensorsFile ours(out / "adapter_model.safetensors"),
      theirs(folder() / "adapter_model.safetensors");
  ASSERT_EQ(ours.tensors().size(), theirs.tensors().size());
  for (const TensorInfo& info : theirs.tensors())
    EXPECT_TRUE(std::ranges::equal(ours.data(ours.at(info.name)), theirs.data(info))) << info.name;
}

TEST_P(Adapters, become_part_of_the_weights_when_they_are_merged) {
  const Tensor expected = logits().detach();
  adapter_->merge();
  EXPECT_LE(difference(logits().detach(), expected), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Peft, Adapters,
                         testing::Values("llama.lora", "llama.rslora", "llama.dora", "qwen2.lora",
                                         "qwen2.rslora", "qwen2.dora", "gpt2.lora", "gpt2.rslora",
                                         "gpt2.dora"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace lathe
