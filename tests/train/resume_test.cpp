// A run that is interrupted anywhere leaves the same files as one that is not.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lathe/objective/next_token.h"
#include "lathe/train/loop.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

/// Random tokens, a function of the position alone.
class CountingSource final : public Source {
 public:
  std::vector<Batch> next(int64_t micro_batches) override {
    std::vector<Batch> batches;
    for (int64_t m = 0; m < micro_batches; ++m) {
      at::Generator generator = at::detail::createCPUGenerator(static_cast<uint64_t>(row_++));
      Batch batch;
      batch.input_ids = at::randint(0, 30, {2, 8}, generator, at::kLong);
      batch.labels = batch.input_ids.clone();
      batch.target_tokens = 14;
      batches.push_back(batch);
    }
    return batches;
  }
  nlohmann::json state() const override { return {{"row", row_}}; }
  void restore(const nlohmann::json& state) override { row_ = state.at("row").get<int64_t>(); }
  double epoch() const override { return static_cast<double>(row_) / 10; }
  int64_t rows_per_epoch() const override { return 10; }

 private:
  int64_t row_ = 0;
};

/// Asks to stop after a number of steps in this process; remembers what it was told.
struct Stopper final : Observer {
  explicit Stopper(int steps) : left(steps) {}
  int left;
  std::vector<std::string> messages;
  bool stop_requested() override { return --left == 0; }
  void on_message(const std::string& message) override { messages.push_back(message); }
};

TrainOptions options() {
  TrainOptions o;
  o.max_steps = 17;
  o.logging_steps = 5;
  o.save_steps = 3;
  o.gradient_accumulation_steps = 2;
  o.optimizer.learning_rate = 1e-2;
  return o;
}

/// Goes on with the run in `folder`, for at most `steps` steps; returns the weights and the
/// messages.
std::pair<std::vector<Tensor>, std::vector<std::string>> go_on(
    const fs::path& folder, int steps, const TrainOptions& with = options(),
    const std::function<Evaluation(int64_t)>& evaluate = {}) {
  ModelConfig config;
  config.vocab_size = 30;
  config.hidden_size = 16;
  config.intermediate_size = 24;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 2;
  const std::unique_ptr<Model> model = new_model(config, 3);
  model->set_compute_dtype(at::kBFloat16);
  CountingSource source;
  NextToken objective;
  Optimizer optimizer = make_optimizer(*model, with.optimizer);
  const std::unique_ptr<Parallel> parallel = single_process();
  Stopper stopper(steps);
  RunFolder run_folder(folder, 2);
  Training run{*model, objective, source, optimizer, *parallel, stopper, &run_folder, {}};
  if (evaluate) run.evaluate = [&] { return evaluate(optimizer.steps()); };
  train(run, with);
  std::vector<Tensor> weights;
  for (const Optimizer::Parameter& p : optimizer.parameters())
    for (const Tensor& tensor : {p.weight.detach(), p.exp_avg, p.exp_avg_sq})
      weights.push_back(tensor);
  for (const Optimizer::Parameter& p : optimizer.parameters())
    if (p.average.defined()) weights.push_back(p.average);
  return {weights, stopper.messages};
}

/// metrics.jsonl without what depends on the clock.
std::string losses(const fs::path& folder) {
  std::string out;
  std::istringstream lines(read_file(folder / "metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    nlohmann::json values = nlohmann::json::parse(line);
    values.erase("tokens_per_second");
    out += values.dump() + "\n";
  }
  return out;
}

void expect_equal(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(at::equal(a[i], b[i])) << "tensor " << i;
}

TEST(Resume, stopped_at_any_step_is_bit_identical_to_uninterrupted) {
  const TemporaryFolder whole;
  const std::vector<Tensor> expected = go_on(whole.path(), -1).first;
  for (const int stop : {1, 4, 5, 12}) {
    const TemporaryFolder folder;
    go_on(folder.path(), stop);
    expect_equal(go_on(folder.path(), -1).first, expected);
    EXPECT_EQ(losses(folder.path()), losses(whole.path())) << "stopped after step " << stop;
  }
}

TEST(Averages, are_the_result_and_survive_interruptions) {
  const TemporaryFolder whole, parts, plain;
  TrainOptions o = options();
  o.optimizer.ema_decay = 0.7;
  const std::vector<Tensor> expected = go_on(whole.path(), -1, o).first;
  for (const int steps : {4, 6}) go_on(parts.path(), steps, o);
  expect_equal(go_on(parts.path(), -1, o).first, expected);
  expect_equal(go_on(parts.path(), -1, o).first, expected);  // of a run that has ended
  // What the steps made of the weights lies in the place of the averages.
  const std::vector<Tensor> weights = go_on(plain.path(), -1).first;
  const size_t parameters = weights.size() / 3;
  for (size_t i = 0; i < parameters; ++i) {
    EXPECT_TRUE(at::equal(expected[3 * parameters + i], weights[3 * i]));
    EXPECT_FALSE(at::equal(expected[3 * i], weights[3 * i]));
  }
}

/// Validations that are best after step 6.
Evaluation best_after_six(int64_t step) {
  Evaluation e;
  e.loss = std::abs(static_cast<double>(step) - 6);
  return e;
}

TrainOptions keeping_the_best() {
  TrainOptions o = options();
  o.eval_steps = 2;
  o.best.load_best_model_at_end = true;
  return o;
}

TEST(Best, weights_are_the_result_whatever_came_after) {
  const TemporaryFolder folder, short_run;
  const auto [weights, messages] = go_on(folder.path(), -1, keeping_the_best(), best_after_six);
  ASSERT_FALSE(messages.empty());
  EXPECT_EQ(messages.back(), "the best validation was at step 6: loss 0.0000");
  const std::vector<Tensor> after_six = go_on(short_run.path(), 6).first;
  for (size_t i = 0; i < weights.size(); i += 3) EXPECT_TRUE(at::equal(weights[i], after_six[i]));
}

TEST(Best, is_remembered_by_a_run_that_was_interrupted) {
  const TemporaryFolder whole, parts;
  const auto expected = go_on(whole.path(), -1, keeping_the_best(), best_after_six).first;
  for (const int steps : {7, 3, -1})
    if (steps > 0) go_on(parts.path(), steps, keeping_the_best(), best_after_six);
  expect_equal(go_on(parts.path(), -1, keeping_the_best(), best_after_six).first, expected);
  EXPECT_EQ(losses(parts.path()), losses(whole.path()));
}

TEST(Best, weights_of_the_newest_checkpoint_are_kept_beside_later_ones) {
  const TemporaryFolder folder;
  TrainOptions o = keeping_the_best();
  o.save_steps = 4;
  std::vector<std::string> names;
  const auto look = [&](int64_t step) {
    if (step == 8)
      for (const auto& entry : fs::directory_iterator(folder / "best"))
        names.push_back(entry.path().filename().string());
    return best_after_six(step);
  };
  go_on(folder.path(), -1, o, look);  // at step 4 the best is 4, at 6 it is 6
  std::ranges::sort(names);
  EXPECT_EQ(names,
            std::vector<std::string>({"step-000000004.safetensors", "step-000000006.safetensors"}));
}

TEST(Best, validation_ends_a_run_that_has_waited_enough_and_keeps_it_ended) {
  const TemporaryFolder folder;
  TrainOptions o = keeping_the_best();
  o.best.early_stopping_patience = 2;
  go_on(folder.path(), -1, o, best_after_six);
  const std::string lines = losses(folder.path());
  EXPECT_NE(lines.find("\"step\":10}"), std::string::npos) << lines;
  EXPECT_EQ(lines.find("\"step\":12"), std::string::npos) << lines;
  go_on(folder.path(), -1, o, best_after_six);
  EXPECT_EQ(losses(folder.path()), lines);
}

TEST(Resume, a_damaged_checkpoint_is_passed_over_for_the_one_before) {
  const TemporaryFolder whole;
  const std::vector<Tensor> expected = go_on(whole.path(), -1).first;
  for (const std::string name : {"training.safetensors", "state.json", "manifest.json"})
    for (const bool remove : {false, true}) {
      const TemporaryFolder folder;
      go_on(folder.path(), 10);
      const fs::path file = folder / ("checkpoints/step-000000010/" + name);
      std::string content = read_file(file);
      content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 1);
      fs::remove(file);
      if (!remove) write_file_atomic(file, content);
      const auto [weights, messages] = go_on(folder.path(), -1);
      expect_equal(weights, expected);
      EXPECT_EQ(messages.size(), 1U) << name;
      EXPECT_EQ(losses(folder.path()), losses(whole.path())) << name;
    }
}

TEST(Resume, a_damaged_checkpoint_never_takes_the_place_of_a_good_one) {
  const TemporaryFolder folder;
  go_on(folder.path(), 10);
  for (const auto& entry : fs::directory_iterator(folder / "checkpoints"))
    write_file_atomic(entry.path() / "state.json", "not what was written");
  go_on(folder.path(), 4);  // from the beginning: it ends with a good one of an earlier step
  const auto [weights, messages] = go_on(folder.path(), -1);
  EXPECT_TRUE(messages.empty()) << messages.front();
}

TEST(Resume, lines_of_metrics_that_were_lost_are_no_reason_to_lose_the_checkpoint) {
  const TemporaryFolder whole, folder;
  const std::vector<Tensor> expected = go_on(whole.path(), -1).first;
  go_on(folder.path(), 12);
  const fs::path file = folder / "metrics.jsonl";
  fs::resize_file(file, fs::file_size(file) - 10);  // within its last line
  const auto [weights, messages] = go_on(folder.path(), -1);
  expect_equal(weights, expected);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_NE(messages[0].find("lines before the checkpoint are lost"), std::string::npos);
  EXPECT_EQ(std::count(messages[0].begin(), messages[0].end(), '\n'), 0);
  EXPECT_NE(losses(folder.path()), losses(whole.path()));  // each line of it is whole
}

/// Remembers which files were made durable, in their order.
struct SyncedFiles final : FileOps {
  explicit SyncedFiles(FileOps& real) : ops(real) {}
  FileOps& ops;
  std::vector<std::string> names;
  int create(const fs::path& path) override { return ops.create(path); }
  int append(const fs::path& path) override { return ops.append(path); }
  void write(int file, const fs::path& path, std::span<const std::byte> bytes) override {
    ops.write(file, path, bytes);
  }
  void truncate(const fs::path& path, uint64_t bytes) override { ops.truncate(path, bytes); }
  void sync(int file, const fs::path& path) override {
    names.push_back(path.filename().string());
    ops.sync(file, path);
  }
  void close(int file) override { ops.close(file); }
  void rename(const fs::path& from, const fs::path& to) override { ops.rename(from, to); }
  void remove_all(const fs::path& path) override { ops.remove_all(path); }
  void make_directories(const fs::path& path) override { ops.make_directories(path); }
  void sync_directory(const fs::path& path) override { ops.sync_directory(path); }
};

TEST(Resume, metrics_are_durable_before_the_checkpoint_that_counts_on_them) {
  const TemporaryFolder folder;
  SyncedFiles synced(file_ops());
  const FileOpsOverride in_place(synced);
  go_on(folder.path(), 3);
  const auto metrics = std::ranges::find(synced.names, "metrics.jsonl");
  const auto manifest = std::ranges::find(synced.names, "manifest.json");
  EXPECT_TRUE(metrics < manifest && manifest != synced.names.end());
}

TEST(Resume, keeps_the_newest_checkpoints_and_removes_unfinished_ones) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "checkpoints/tmp-3.99");
  go_on(folder.path(), -1);
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder / "checkpoints"))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, std::vector<std::string>({"step-000000015", "step-000000017"}));
}

TEST(Resume, two_runs_cannot_share_a_folder) {
  const TemporaryFolder folder;
  const RunFolder first(folder.path(), 1);
  EXPECT_THROW(RunFolder(folder.path(), 1), Error);
}

}  // namespace
}  // namespace lathe
