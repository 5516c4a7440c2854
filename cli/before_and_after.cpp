#include "cli/before_and_after.h"

#include <algorithm>

#include "lathe/base/format.h"
#include "lathe/train/best.h"

namespace lathe {
namespace {

constexpr std::string_view prefix = "eval_";

/// Losses say the same as perplexities, less plainly.
bool said_by_perplexity(const std::string& name, const MetricsLine& line) {
  constexpr std::string_view loss = "loss";
  return name.ends_with(loss) &&
         line.get(name.substr(0, name.size() - loss.size()) + "perplexity").has_value();
}

/// How a measure changed: costs by a share, what is a share itself by the difference.
std::string change(const std::string& name, double before, double after) {
  if (smaller_is_better(name)) return format("{:+.1f} %", 100 * (after / before - 1));
  return format("{:+.4f}", after - before);
}

}  // namespace

std::optional<BeforeAndAfter> before_and_after(const RunMetrics& metrics, int64_t step) {
  const std::vector<MetricsLine>& lines = metrics.validations;
  const auto last =
      std::find_if(lines.rbegin(), lines.rend(), [&](const auto& l) { return l.step == step; });
  if (last == lines.rend() || lines.front().step == step) return {};
  BeforeAndAfter result{.first_step = lines.front().step, .step = step, .measures = {}};
  for (const auto& [name, before] : lines.front().numbers) {
    const std::optional<double> after = last->get(name);
    if (!name.starts_with(prefix) || !after || said_by_perplexity(name, lines.front())) continue;
    result.measures.push_back(
        {name.substr(prefix.size()), before, *after, change(name, before, *after)});
  }
  return result;
}

std::string BeforeAndAfter::text() const {
  std::string table =
      format("  {:<28}{:>10}{:>12}", "", format("step {}", first_step), format("step {}", step));
  for (const Measure& m : measures)
    table += format("\n  {:<28}{:>10.4f}{:>12.4f}{:>12}", m.name, m.before, m.after, m.change);
  return table;
}

}  // namespace lathe
