// What a run wrote to its metrics.jsonl.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lathe {

/// A line of metrics.jsonl: its finite numbers in their order, without the step.
struct MetricsLine {
  int64_t step = 0;
  std::vector<std::pair<std::string, double>> numbers;

  std::optional<double> get(std::string_view name) const;
};

/// The lines of a run: one for every so many steps, and one for each validation.
struct RunMetrics {
  std::vector<MetricsLine> steps, validations;
};

/// Reads metrics.jsonl; no lines where there is no file.
RunMetrics read_metrics(const std::filesystem::path& file);

}  // namespace lathe
