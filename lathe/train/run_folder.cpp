#include "lathe/train/run_folder.h"

#include <nlohmann/json.hpp>

#include "lathe/base/error.h"
#include "lathe/io/json.h"
#include "lathe/model/tensor_file.h"

namespace lathe {
namespace {

constexpr const char* metrics_file = "metrics.jsonl";

fs::path made(const fs::path& path) {
  file_ops().make_directories(path);
  return path;
}

NamedTensors weights_of(Optimizer& optimizer) {
  NamedTensors list;
  for (const Optimizer::Parameter& p : optimizer.parameters())
    list.emplace_back(p.name, p.weight.detach());
  return list;
}

nlohmann::json json_of(const Progress& p) {
  return {{"tokens", p.tokens},
          {"window_loss", p.window_loss},
          {"window_steps", p.window_steps},
          {"window_tokens", p.window_tokens},
          {"window_losses", p.window_losses},
          {"best", {{"value", p.best.value}, {"step", p.best.step}, {"waited", p.best.waited}}}};
}

std::map<std::string, std::pair<double, int64_t>> losses_of(const nlohmann::json& state) {
  std::map<std::string, std::pair<double, int64_t>> losses;
  if (!state.contains("window_losses")) return losses;  // of an earlier version
  for (const auto& [name, loss] : get_object(state, "window_losses").items()) {
    require(loss.is_array() && loss.size() == 2 && loss[0].is_number() && loss[1].is_number(),
            "\"window_losses\": expected a sum and a count, found {}", show_json(loss));
    losses[name] = {loss[0].get<double>(), loss[1].get<int64_t>()};
  }
  return losses;
}

/// The steps that each group of weights took.
std::vector<int64_t> group_steps_of(const nlohmann::json& state, const Optimizer& optimizer) {
  if (!state.contains("group_steps"))  // of an earlier version
    return std::vector<int64_t>(optimizer.group_steps().size(), get_int(state, "step"));
  std::vector<int64_t> steps;
  for (const nlohmann::json& number : get_array(state, "group_steps")) {
    require(number.is_number_integer(), "\"group_steps\": expected whole numbers, found {}",
            show_json(number));
    steps.push_back(number.get<int64_t>());
  }
  return steps;
}

Progress progress_of(const nlohmann::json& state) {
  const nlohmann::json& best = get_object(state, "best");
  return {.tokens = get_int(state, "tokens", 0),
          .window_loss = get_number(state, "window_loss"),
          .window_steps = get_int(state, "window_steps", 0),
          .window_tokens = get_int(state, "window_tokens", 0),
          .window_losses = losses_of(state),
          .best = {.value = get_number(best, "value"),
                   .step = get_int(best, "step", -1),
                   .waited = get_int(best, "waited", 0)}};
}

}  // namespace

void Progress::add(const StepReport& step) {
  window_loss += step.loss;
  ++window_steps;
  for (const auto& [name, loss] : step.losses) {
    window_losses[name].first += loss;
    ++window_losses[name].second;
  }
}

void Progress::put_means(StepReport& step) const {
  step.loss = window_loss / static_cast<double>(window_steps);
  step.losses.clear();
  for (const auto& [name, sum] : window_losses)
    step.losses.emplace_back(name, sum.first / static_cast<double>(sum.second));
}

RunFolder::RunFolder(const fs::path& path, int64_t save_total_limit)
    : path_(made(path)),
      lock_(path_ / "lock"),
      checkpoints_(path_ / "checkpoints", save_total_limit) {}

RunFolder::~RunFolder() = default;

/// Opens metrics.jsonl cut to `bytes`: lines after the checkpoint will be written again. Lines that
/// are not there any more are no reason to lose the checkpoint.
void RunFolder::restore_metrics(uint64_t bytes, Observer& observer) {
  const fs::path file = path_ / metrics_file;
  const uint64_t there = fs::exists(file) ? fs::file_size(file) : 0;
  if (there < bytes) {
    observer.on_message(
        format("{}: expected at least {} bytes, found {}: lines before the "
               "checkpoint are lost",
               file.string(), bytes, there));
    bytes = there == 0 ? 0 : read_file(file, there).rfind('\n') + 1;
  }
  if (there > bytes) file_ops().truncate(file, bytes);
  metrics_ = std::make_unique<FileWriter>(file, FileWriter::Mode::append);
  metrics_bytes_ = bytes;
}

Progress RunFolder::resume(Optimizer& optimizer, Source& source, Observer& observer) {
  for (const int64_t step : checkpoints_.steps()) {
    try {
      checkpoints_.verify(step);
    } catch (const Error& error) {
      observer.on_message(format("{}; going back to the checkpoint before", error.what()));
      continue;
    }
    const nlohmann::json state = checkpoints_.load(step, optimizer);
    require(get_int(state, "step") == step, "checkpoint {} says it is of step {}", step,
            get_int(state, "step"));
    optimizer.set_steps(step, group_steps_of(state, optimizer));
    source.restore(get_object(state, "source"));
    restore_metrics(static_cast<uint64_t>(get_int(state, "metrics_bytes", 0)), observer);
    saved_step_ = step;
    const Progress progress = progress_of(get_object(state, "progress"));
    saved_best_ = progress.best.step;
    return progress;
  }
  restore_metrics(0, observer);
  return {};
}

void RunFolder::log(const nlohmann::json& line) {
  require(metrics_ != nullptr, "a run writes metrics after it was resumed");
  const std::string text = line.dump() + "\n";
  metrics_->write(text);
  metrics_->flush();
  metrics_bytes_ += text.size();
}

void RunFolder::save(Optimizer& optimizer, const Source& source, const Progress& progress,
                     Observer& observer) {
  const int64_t step = optimizer.steps();
  if (step == saved_step_) return;
  if (metrics_) metrics_->sync();  // the checkpoint says how long it is
  checkpoints_.save(step, optimizer,
                    {{"step", step},
                     {"group_steps", optimizer.group_steps()},
                     {"source", source.state()},
                     {"progress", json_of(progress)},
                     {"metrics_bytes", metrics_bytes_}});
  saved_step_ = step;
  saved_best_ = progress.best.step;
  forget_best_but(saved_best_);
  observer.on_checkpoint(step);
}

fs::path RunFolder::best_file(int64_t step) const {
  return path_ / "best" / format("step-{:09}.safetensors", step);
}

void RunFolder::forget_best_but(int64_t step) {
  const fs::path folder = path_ / "best";
  if (!fs::exists(folder)) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path() != best_file(step)) file_ops().remove_all(entry.path());
}

// The best weights that the newest checkpoint knows are kept beside: a run may go back to it.
void RunFolder::keep_best(Optimizer& optimizer, int64_t step) {
  const Context saving("keeping the best weights");
  const fs::path file = best_file(step);
  file_ops().make_directories(file.parent_path());
  forget_best_but(saved_best_);
  write_tensors(file, weights_of(optimizer));
}

void RunFolder::take_best(Optimizer& optimizer, int64_t step) const {
  const fs::path file = best_file(step);
  const Context loading("taking the best weights from {}", file.string());
  read_tensors(file, weights_of(optimizer));
}

}  // namespace lathe
