// What a run keeps in its output_dir: one process at a time, the metrics, the checkpoints.
#pragma once

#include <map>
#include <memory>

#include "lathe/data/source.h"
#include "lathe/train/best.h"
#include "lathe/train/checkpoint.h"
#include "lathe/train/observer.h"

namespace lathe {

/// How far a run has come, besides the optimizer and the source.
struct Progress {
  int64_t tokens = 0;  ///< input tokens until the last line of metrics, all ranks
  /// Sums since the last line of metrics.
  double window_loss = 0;
  int64_t window_steps = 0;
  int64_t window_tokens = 0;
  /// Of each that learns, where there are several: its losses, and how many there were.
  std::map<std::string, std::pair<double, int64_t>> window_losses = {};
  Best best;

  /// Adds the losses of a step to the sums.
  void add(const StepReport& step);
  /// Replaces them by the means since the last line.
  void put_means(StepReport& step) const;
};

class RunFolder {
 public:
  /// Opens or makes the folder and locks it against other processes.
  RunFolder(const fs::path& path, int64_t save_total_limit);
  ~RunFolder();

  const fs::path& path() const { return path_; }
  /// Goes back to the newest checkpoint that is intact, metrics included; a fresh start if there is
  /// none.
  Progress resume(Optimizer& optimizer, Source& source, Observer& observer);
  /// Appends one line to metrics.jsonl.
  void log(const nlohmann::json& line);
  /// Writes a checkpoint of everything; does nothing if there is one of this step from now.
  void save(Optimizer& optimizer, const Source& source, const Progress& progress,
            Observer& observer);

  /// Keeps the weights that are trained as the best, those after `step`; and takes them back.
  void keep_best(Optimizer& optimizer, int64_t step);
  void take_best(Optimizer& optimizer, int64_t step) const;

 private:
  fs::path best_file(int64_t step) const;
  /// Removes all best weights but those of one step.
  void forget_best_but(int64_t step);
  void restore_metrics(uint64_t bytes, Observer& observer);

  fs::path path_;
  FileLock lock_;
  Checkpoints checkpoints_;
  std::unique_ptr<FileWriter> metrics_;
  uint64_t metrics_bytes_ = 0;
  int64_t saved_step_ = -1;
  int64_t saved_best_ = -1;  // the step of the best weights that the newest checkpoint knows
};

}  // namespace lathe
