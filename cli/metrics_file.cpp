#include "cli/metrics_file.h"

#include <nlohmann/json.hpp>

#include "lathe/io/rows.h"

namespace lathe {

std::optional<double> MetricsLine::get(std::string_view name) const {
  for (const auto& [key, value] : numbers)
    if (key == name) return value;
  return {};
}

RunMetrics read_metrics(const std::filesystem::path& file) {
  RunMetrics metrics;
  if (!std::filesystem::exists(file)) return metrics;
  const auto rows = open_rows(file);
  while (const std::optional<nlohmann::ordered_json> row = rows->next()) {
    if (!row->contains("step")) continue;
    MetricsLine line{.step = row->at("step").get<int64_t>(), .numbers = {}};
    for (const auto& [name, value] : row->items())
      if (name != "step" && value.is_number()) line.numbers.emplace_back(name, value.get<double>());
    (row->contains("eval_loss") ? metrics.validations : metrics.steps).push_back(std::move(line));
  }
  return metrics;
}

}  // namespace lathe
