// Several adapters that learn in one run, each from its own rows.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lathe/adapt/row_adapters.h"
#include "lathe/objective/next_token.h"
#include "lathe/train/loop.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_model.h"

namespace lathe {
namespace {

using Steps = std::vector<std::vector<int64_t>>;  // of each step the adapters of its rows

/// Rows of random tokens, a function of the step; `only`: those of one adapter alone, in the steps
/// that have any, and as rows that choose nothing.
class TaggedRows final : public Source {
 public:
  explicit TaggedRows(Steps steps, std::optional<int64_t> only = {})
      : steps_(std::move(steps)), only_(only) {}

  std::vector<Batch> next(int64_t micro_batches) override {
    std::vector<Batch> batches;
    for (int64_t i = 0; i < micro_batches; ++i) batches.push_back(next_batch());
    return batches;
  }
  nlohmann::json state() const override { return {{"step", step_}}; }
  void restore(const nlohmann::json& state) override { step_ = state.at("step").get<size_t>(); }
  double epoch() const override { return 0; }
  int64_t rows_per_epoch() const override { return 1; }

 private:
  Batch next_batch() {
    while (only_ && std::ranges::count(adapters(), *only_) == 0) ++step_;
    std::vector<int64_t> rows;
    for (size_t i = 0; i < adapters().size(); ++i)
      if (!only_ || adapters()[i] == *only_) rows.push_back(static_cast<int64_t>(i));
    at::Generator generator = at::detail::createCPUGenerator(static_cast<uint64_t>(step_));
    const auto all = static_cast<int64_t>(adapters().size());
    Batch batch;
    batch.input_ids =
        at::randint(0, 50, {all, 6}, generator, at::kLong).index_select(0, at::tensor(rows));
    batch.labels = batch.input_ids.clone();
    batch.labels.select(1, 0).fill_(ignored_label);
    batch.target_tokens = 5 * static_cast<int64_t>(rows.size());
    if (!only_) batch.adapters = adapters();
    ++step_;
    return batch;
  }
  const std::vector<int64_t>& adapters() const { return steps_[step_ % steps_.size()]; }

  Steps steps_;
  std::optional<int64_t> only_;
  size_t step_ = 0;
};

struct Reports final : Observer {
  std::vector<StepReport> steps;
  int left = -1;
  void on_step(const StepReport& report) override { steps.push_back(report); }
  bool stop_requested() override { return --left == 0; }
};

constexpr int64_t adapter_count = 2;

struct LearnersTest : testing::Test {
  std::unique_ptr<Model> model = new_model(small_config(), 1);
  TrainOptions options;
  std::vector<Learner> learners;
  Reports reports;

  LearnersTest() {
    options.logging_steps = 1;
    options.save_steps = 0;
    options.optimizer.lr_scheduler_type = "constant";
    options.optimizer.weight_decay = 0.1;
    learners = {{"a", "loss.0", 1, 1e-2, 0.5}, {"b", "loss.1", 1, 3e-2, 0}};
  }

  std::vector<std::unique_ptr<Adapter>> make() {
    AdapterOptions lora, bottleneck;
    lora.peft_type = "LORA";
    lora.r = 4;
    bottleneck.peft_type = "BOTTLENECK";
    std::vector<std::unique_ptr<Adapter>> list;
    list.push_back(Adapter::make(*model, lora, 1));
    list.push_back(Adapter::make(*model, bottleneck, 2));
    return list;
  }

  static std::vector<Tensor> values(Adapter& adapter) {
    std::vector<Tensor> list;
    for (const NamedTensor& each : adapter.named_tensors())
      list.push_back(each.tensor->detach().clone());
    return list;
  }

  /// The weights of both after training in rows of one batch.
  std::vector<std::vector<Tensor>> train_together(const Steps& steps, RunFolder* folder = nullptr) {
    const auto adapters = make();
    const RowAdapters rows(adapters);
    std::vector<NamedTensor> trained;
    std::vector<size_t> groups;
    for (size_t i = 0; i < adapters.size(); ++i)
      for (const NamedTensor& each : adapters[i]->named_tensors()) {
        trained.push_back({format("{}.{}", i, each.name), each.tensor});
        groups.push_back(i);
      }
    TaggedRows source(steps);
    NextToken objective;
    Optimizer optimizer = make_optimizer(*model, options.optimizer, trained);
    optimizer.set_groups(groups);
    const std::unique_ptr<Parallel> parallel = single_process();
    Training run{*model, objective, source, optimizer, *parallel, reports, folder, {}, learners};
    train(run, options);
    return {values(*adapters[0]), values(*adapters[1])};
  }

  /// Those of one after training alone, from the same rows.
  std::vector<Tensor> train_alone(size_t i, const Steps& steps) {
    auto adapters = make();
    std::swap(adapters[0], adapters[i]);
    adapters.resize(1);
    TrainOptions alone = options;
    alone.max_steps = 0;
    for (const auto& step : steps)
      alone.max_steps += std::ranges::count(step, static_cast<int64_t>(i)) > 0;
    alone.max_steps /= options.gradient_accumulation_steps;
    alone.optimizer.learning_rate = learners[i].learning_rate;
    alone.optimizer.max_grad_norm = learners[i].max_grad_norm;
    TaggedRows source(steps, static_cast<int64_t>(i));
    NextToken objective;
    Optimizer optimizer = make_optimizer(*model, alone.optimizer, adapters[0]->named_tensors());
    const std::unique_ptr<Parallel> parallel = single_process();
    Observer nobody;
    Training run{*model, objective, source, optimizer, *parallel, nobody, nullptr, {}};
    train(run, alone);
    return values(*adapters[0]);
  }

  void expect_what_each_learns_alone(const Steps& steps) {
    const auto together = train_together(steps);
    for (size_t i = 0; i < adapter_count; ++i) {
      const std::vector<Tensor> alone = train_alone(i, steps);
      for (size_t t = 0; t < alone.size(); ++t)
        EXPECT_TRUE(at::allclose(together[i][t], alone[t], 1e-3, 1e-5)) << i << " " << t;
    }
  }
};

const Steps uneven = {{0, 1, 0}, {0, 0}, {1, 1, 1}, {1, 0, 0, 0}, {0}};

TEST_F(LearnersTest, learn_together_what_each_learns_alone) {
  options.max_steps = 5;
  for (const bool checkpointing : {false, true}) {
    model->set_gradient_checkpointing(checkpointing);
    expect_what_each_learns_alone(uneven);
  }
}

TEST_F(LearnersTest, learn_from_several_batches_of_a_step) {
  options.max_steps = 2;
  options.gradient_accumulation_steps = 2;
  expect_what_each_learns_alone({{0, 1}, {1, 0, 0}, {0, 0, 1, 1}, {1, 1, 0}});
}

TEST_F(LearnersTest, stay_as_they_are_without_rows) {
  options.max_steps = 3;
  std::vector<Tensor> before;
  {
    const auto adapters = make();
    before = values(*adapters[1]);
  }
  const auto after = train_together({{0, 0}, {0}});
  for (size_t t = 0; t < before.size(); ++t) EXPECT_TRUE(at::equal(after[1][t], before[t])) << t;
  EXPECT_EQ(reports.steps.back().losses.size(), 1U);
  EXPECT_EQ(reports.steps.back().losses[0].first, "a");
}

TEST_F(LearnersTest, may_count_more_in_gradients_but_not_in_what_is_reported) {
  options.max_steps = 1;
  train_together({{1, 1}});
  learners[1].loss_weight = 3;
  train_together({{1, 1}});
  ASSERT_EQ(reports.steps.size(), 2U);
  EXPECT_DOUBLE_EQ(reports.steps[0].loss, reports.steps[1].loss);
  EXPECT_NEAR(reports.steps[1].gradient_norm, 3 * reports.steps[0].gradient_norm, 1e-4);
}

TEST_F(LearnersTest, report_each_its_loss_and_the_mean) {
  options.max_steps = 2;
  options.logging_steps = 2;
  train_together({{0, 1}, {1}});
  const StepReport report = reports.steps.at(0);
  ASSERT_EQ(report.losses.size(), 2U);
  // The second step had no row of a, so that its loss is that of b.
  options.logging_steps = 1;
  train_together({{0, 1}, {1}});
  const StepReport first = reports.steps.at(1), second = reports.steps.at(2);
  EXPECT_DOUBLE_EQ(report.losses[0].second, first.losses.at(0).second);
  EXPECT_DOUBLE_EQ(report.losses[1].second,
                   (first.losses.at(1).second + second.losses.at(0).second) / 2);
  EXPECT_DOUBLE_EQ(first.loss, (first.losses[0].second + first.losses[1].second) / 2);
  EXPECT_DOUBLE_EQ(second.loss, second.losses[0].second);
}

TEST_F(LearnersTest, go_on_after_a_stop_bit_for_bit) {
  options.max_steps = 7;
  options.logging_steps = 3;
  const auto whole = train_together(uneven);
  const auto losses = reports.steps.back().losses;
  const TemporaryFolder path;
  reports.left = 4;
  {
    RunFolder folder(path.path(), 1);
    train_together(uneven, &folder);
  }
  RunFolder folder(path.path(), 1);
  const auto resumed = train_together(uneven, &folder);
  for (size_t i = 0; i < adapter_count; ++i)
    for (size_t t = 0; t < whole[i].size(); ++t)
      EXPECT_TRUE(at::equal(resumed[i][t], whole[i][t])) << i << " " << t;
  EXPECT_EQ(reports.steps.back().losses, losses);
}

}  // namespace
}  // namespace lathe
