#include "lathe/train/run_folder.h"

#include <nlohmann/json.hpp>

#include "lathe/base/error.h"
#include "lathe/io/json.h"
#include "lathe/model/tensor_file.h"

namespace lathe {
namespace {

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

/// Opens metrics.jsonl cut to `bytes`: lines after the checkpoint will be written again.
void RunFolder::restore_metrics(uint64_t bytes) {
  const fs::path file = path_ / "metrics.jsonl";
  const uint64_t there = fs::exists(file) ? fs::file_size(file) : 0;
  require(there >= bytes, "{}: expected at least {} bytes, found {}", file.string(), bytes, there);
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
    restore_metrics(static_cast<uint64_t>(get_int(state, "metrics_bytes", 0)));
    saved_step_ = step;
    return progress_of(get_object(state, "progress"));
  }
  restore_metrics(0);
  return {};
}

void RunFolder::log(const nlohmann::json& line) {
  if (!metrics_) restore_metrics(0);
  const std::string text = line.dump() + "\n";
  metrics_->write(text);
  metrics_->flush();
  metrics_bytes_ += text.size();
}

void RunFolder::save(Optimizer& optimizer, const Source& source, const Progress& progress,
                     Observer& observer) {
  const int64_t step = optimizer.steps();
  if (step == saved_step_) return;
  checkpoints_.save(step, optimizer,
                    {{"step", step},
                     {"group_steps", optimizer.group_steps()},
                     {"source", source.state()},
                     {"progress", json_of(progress)},
                     {"metrics_bytes", metrics_bytes_}});
  saved_step_ = step;
  observer.on_checkpoint(step);
}

void RunFolder::keep_best(Optimizer& optimizer) {
  const Context saving("keeping the best weights");
  file_ops().make_directories(best_file().parent_path());
  write_tensors(best_file(), weights_of(optimizer));
}

void RunFolder::take_best(Optimizer& optimizer) const {
  const Context loading("taking the best weights from {}", best_file().string());
  read_tensors(best_file(), weights_of(optimizer));
}

}  // namespace lathe
