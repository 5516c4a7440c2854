// 20 steps of pretraining against transformers and torch.optim.AdamW: see tests/golden/pretrain.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lathe/io/json.h"
#include "lathe/io/safetensors.h"
#include "lathe/model/files.h"
#include "lathe/objective/next_token.h"
#include "lathe/train/loop.h"
#include "tests/support/device.h"

namespace lathe {
namespace {

const fs::path folder = fs::path(LATHE_TEST_DATA) / "golden/pretrain";

/// The micro-batches of the golden run, step by step.
class GoldenSource final : public Source {
 public:
  GoldenSource(Tensor ids, Tensor labels) : ids_(std::move(ids)), labels_(std::move(labels)) {}
  std::vector<Batch> next(int64_t micro_batches) override {
    std::vector<Batch> batches;
    for (int64_t m = 0; m < micro_batches; ++m) {
      Batch batch;
      batch.input_ids = ids_[step_][m].to(at::kLong);
      batch.labels = labels_[step_][m].to(at::kLong);
      batch.target_tokens =
          batch.labels.narrow(1, 1, batch.length() - 1).ne(ignored_label).sum().item<int64_t>();
      batches.push_back(batch);
    }
    ++step_;
    return batches;
  }
  nlohmann::json state() const override { return step_; }
  void restore(const nlohmann::json& state) override { step_ = state.get<int64_t>(); }
  double epoch() const override { return 0; }
  int64_t rows_per_epoch() const override { return 1; }

 private:
  Tensor ids_, labels_;  // (steps, micro-batches, B, T)
  int64_t step_ = 0;
};

struct Curve final : Observer {
  std::vector<double> losses, norms;
  void on_step(const StepReport& report) override {
    losses.push_back(report.loss);
    norms.push_back(report.gradient_norm);
  }
};

struct Result {
  std::unique_ptr<Model> model;
  Curve curve;
};

Result train_golden(at::ScalarType dtype, bool gradient_checkpointing) {
  const nlohmann::json curves = load_json(folder / "curves.json");
  const SafetensorsFile inputs(folder / "inputs.safetensors");
  const auto load = [&](const std::string& name) {
    return tensor_of(inputs.at(name), inputs.data(inputs.at(name)));
  };
  Result result{new_model(read_model_config(curves.at("config")), 0, dtype), {}};
  Model& model = *result.model;
  model.set_compute_dtype(dtype);
  model.set_gradient_checkpointing(gradient_checkpointing);
  for (const NamedTensor& weight : model.named_tensors())
    weight.tensor->copy_(load("initial." + weight.name));
  model.to(test_device());
  TrainOptions options;
  options.max_steps = 20;
  options.gradient_accumulation_steps = 2;
  options.logging_steps = 1;
  options.optimizer.learning_rate = 3e-3;
  options.optimizer.adam_beta2 = 0.95;
  options.optimizer.weight_decay = 0.1;
  options.optimizer.lr_scheduler_type = "cosine";
  options.optimizer.warmup_steps = 3;
  GoldenSource source(load("ids"), load("labels"));
  NextToken objective;
  Optimizer optimizer = make_optimizer(model, options.optimizer);
  const std::unique_ptr<Parallel> parallel = single_process();
  Training run{model, objective, source, optimizer, *parallel, result.curve, nullptr, {}};
  EXPECT_TRUE(train(run, options));
  return result;
}

/// The distance of our weights from theirs by the distance of theirs from where they began.
double relative_change_difference(Model& model, const std::string& dtype) {
  const SafetensorsFile inputs(folder / "inputs.safetensors");
  const SafetensorsFile weights(folder / "weights.safetensors");
  double difference = 0, change = 0;
  for (const NamedTensor& weight : model.named_tensors()) {
    const TensorInfo& before = inputs.at("initial." + weight.name);
    const TensorInfo& after = weights.at(dtype + "." + weight.name);
    const Tensor theirs = tensor_of(after, weights.data(after)).to(at::kDouble);
    const Tensor start = tensor_of(before, inputs.data(before)).to(at::kDouble);
    difference +=
        (weight.tensor->detach().to(at::kCPU, at::kDouble) - theirs).square().sum().item<double>();
    change += (theirs - start).square().sum().item<double>();
  }
  return std::sqrt(difference / change);
}

TEST(GoldenPretraining, in_float64_every_loss_norm_and_weight_is_that_of_torch_within_1e_9) {
  const Result result = train_golden(at::kDouble, false);
  const nlohmann::json golden = load_json(folder / "curves.json").at("float64");
  ASSERT_EQ(result.curve.losses.size(), 20U);
  for (size_t i = 0; i < 20; ++i) {
    EXPECT_NEAR(result.curve.losses[i], golden.at("loss")[i].get<double>(), 1e-9 * device_slack())
        << "step " << i;
    // clip_grad_norm_ sums the norms of the weights, we their squares.
    EXPECT_NEAR(result.curve.norms[i], golden.at("grad_norm")[i].get<double>(),
                1e-8 * device_slack())
        << i;
  }
  const SafetensorsFile weights(folder / "weights.safetensors");
  for (const NamedTensor& weight : result.model->named_tensors()) {
    const TensorInfo& info = weights.at("float64." + weight.name);
    const Tensor theirs = tensor_of(info, weights.data(info));
    EXPECT_LE((weight.tensor->detach().cpu() - theirs).abs().max().item<double>(),
              1e-9 * device_slack())
        << weight.name;
  }
}

TEST(GoldenPretraining, in_float32_losses_are_within_1e_4_and_the_weight_change_within_1e_2) {
  const Result result = train_golden(at::kFloat, false);
  const nlohmann::json golden = load_json(folder / "curves.json").at("float32");
  for (size_t i = 0; i < 20; ++i) {
    const double theirs = golden.at("loss")[i].get<double>();
    EXPECT_NEAR(result.curve.losses[i], theirs, 1e-4 * theirs) << "step " << i;
  }
  EXPECT_LE(relative_change_difference(*result.model, "float32"), 1e-2);
}

TEST(GoldenPretraining, recomputing_activations_gives_the_same_curve_bit_for_bit) {
  EXPECT_EQ(train_golden(at::kFloat, true).curve.losses,
            train_golden(at::kFloat, false).curve.losses);
}

}  // namespace
}  // namespace lathe
