#pragma once

#include <optional>

#include "cli/metrics_file.h"

namespace lathe {

/// What a run was for: the measures of its first validation beside those after a later step.
struct BeforeAndAfter {
  struct Measure {
    std::string name;
    double before, after;
    std::string change;  ///< "-12.3 %" of what is better when it is small, else "+0.1234"
  };
  int64_t first_step, step;
  std::vector<Measure> measures;

  /// A table for people, without a line's end.
  std::string text() const;
};

/// Of the result of a run, which is that of `step`; nothing if there are no two such validations.
std::optional<BeforeAndAfter> before_and_after(const RunMetrics& metrics, int64_t step);

}  // namespace lathe
