// Adapters against PEFT and AdapterHub's adapters: see tests/golden/adapters.
#include <gtest/gtest.h>

#include "lathe/adapt/adapter.h"
#include "lathe/io/safetensors.h"
#include "lathe/model/files.h"
#include "lathe/optim/optimizer.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

const fs::path golden_folder = fs::path(LATHE_TEST_DATA) / "golden";

/// The largest difference, in parts of the largest value.
double difference(const Tensor& found, const Tensor& expected) {
  return ((found - expected).abs().max() / expected.abs().max()).item<double>();
}

class GoldenAdapters : public testing::TestWithParam<std::string> {
 protected:
  GoldenAdapters() : file_(folder() / "golden.safetensors") {
    const std::string family = GetParam().substr(0, GetParam().find('.'));
    model_ = load_model(golden_folder / "families" / family, at::kFloat);
    adapter_ = Adapter::load(*model_, folder());
  }

  static fs::path folder() { return golden_folder / "adapters" / GetParam(); }
  static std::string method() { return GetParam().substr(GetParam().find('.') + 1); }
  static fs::path tensors_in(const fs::path& directory) {
    const fs::path of_hub = directory / "adapter.safetensors";
    return fs::exists(of_hub) ? of_hub : directory / "adapter_model.safetensors";
  }
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

TEST_P(GoldenAdapters, give_the_logits_and_gradients_of_their_program) {
  // What PiSSA leaves of the base hangs on rounding in a decomposition where singular values are
  // close to each other; converted, both begin from the same.
  const double tolerance = method() == "pissa" ? 1e-4 : 1e-5;
  EXPECT_LE(difference(logits().detach(), golden("logits")), tolerance);
  for (const NamedTensor& weight : adapter_->named_tensors()) weight.tensor->requires_grad_(true);
  loss().backward();
  for (const NamedTensor& weight : adapter_->named_tensors())
    EXPECT_LE(difference(weight.tensor->grad(), golden("gradient." + weight.name)), tolerance)
        << weight.name;
}

TEST_P(GoldenAdapters, learn_as_with_their_program) {
  std::vector<std::pair<std::string, Tensor>> weights;
  for (const NamedTensor& weight : adapter_->named_tensors()) {
    weight.tensor->requires_grad_(true);
    weights.emplace_back(weight.name, *weight.tensor);
  }
  Optimizer optimizer(weights, {});
  double rate = 1e-2;
  if (method() == "lora_plus") {
    rate = 1e-3;
    adapter_->mutable_options().loraplus_lr_ratio = 16;
    optimizer.set_rates(adapter_->learning_rate_factors(rate));
  }
  const Tensor losses = golden("losses");
  for (int64_t step = 0; step < losses.numel(); ++step) {
    const Tensor found = loss();
    found.backward();
    optimizer.step(rate, 1);
    const auto expected = losses[step].item<double>();
    EXPECT_NEAR(found.item<double>(), expected, 5e-5 * expected) << step;
  }
  for (const NamedTensor& weight : adapter_->named_tensors()) {
    if (file_.find("trained." + weight.name) == nullptr) continue;  // nothing but noise
    EXPECT_LE(difference(weight.tensor->detach(), golden("trained." + weight.name)), 3e-3)
        << weight.name;
  }
}

TEST_P(GoldenAdapters, are_saved_as_they_were_loaded) {
  const TemporaryFolder out;
  EXPECT_EQ(adapter_->save(out.path(), "base"), "");
  const Tensor expected = logits().detach();
  adapter_.reset();
  EXPECT_GT(difference(logits().detach(), expected), 1e-3) << "without it the model is the base";
  adapter_ = Adapter::load(*model_, out.path());
  if (method() == "pissa") {  // becomes plain LoRA of twice the rank
    EXPECT_LE(difference(logits().detach(), expected), 1e-5);
    return;
  }
  EXPECT_TRUE(at::equal(logits().detach(), expected));
  const SafetensorsFile ours(tensors_in(out.path())), theirs(tensors_in(folder()));
  for (const TensorInfo& info : theirs.tensors())
    EXPECT_TRUE(info.name.ends_with(".base_layer.weight") ||  // the model's own, saved beside
                std::ranges::equal(ours.data(ours.at(info.name)), theirs.data(info)))
        << info.name;
}

TEST_P(GoldenAdapters, become_part_of_the_weights_when_they_are_merged) {
  const Tensor expected = logits().detach();
  const std::string refusal = message_of([&] { adapter_->merge(); });
  if (refusal == "no error") {
    EXPECT_LE(difference(logits().detach(), expected), 1e-5);
    return;
  }
  EXPECT_TRUE(at::equal(logits().detach(), expected)) << "nothing has changed";
  const bool bottleneck = tensors_in(folder()).filename() == "adapter.safetensors";
  const char* reason = bottleneck                ? "is not linear"
                       : method() == "lora_bias" ? "it has no bias that could take"
                                                 : "embedding and output layer are one";
  EXPECT_TRUE(says(refusal, reason));
}

std::vector<std::string> golden_adapters() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(golden_folder / "adapters"))
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, GoldenAdapters, testing::ValuesIn(golden_adapters()),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace lathe
