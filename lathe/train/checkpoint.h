// Checkpoints that survive a crash at any moment: written to a temporary folder, every file synced,
// a manifest with sizes and hashes last, and one rename. A damaged one is found out and passed
// over.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "lathe/base/file.h"
#include "lathe/optim/optimizer.h"

namespace lathe {

/// The folder `checkpoints/` of a run, with one folder `step-N` each.
class Checkpoints {
 public:
  /// Removes what an interrupted run left unfinished.
  Checkpoints(fs::path folder, int64_t keep);

  /// Writes the optimizer's weights and moments and `state` as checkpoint `step`, then removes all
  /// but the newest `keep` up to this one.
  void save(int64_t step, Optimizer& optimizer, const nlohmann::json& state);
  /// The steps there are checkpoints of, newest first; damaged ones included.
  std::vector<int64_t> steps() const;
  /// Throws Error if any byte of checkpoint `step` is not as it was written.
  void verify(int64_t step) const;
  /// Loads weights and moments and returns the state. Call `verify` first.
  nlohmann::json load(int64_t step, Optimizer& optimizer) const;

 private:
  fs::path path(int64_t step) const;

  fs::path folder_;
  int64_t keep_;
};

}  // namespace lathe
