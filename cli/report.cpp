#include "cli/report.h"

#include "cli/progress.h"
#include "lathe/base/file.h"
#include "lathe/base/format.h"
#include "lathe/io/line_chart.h"

namespace lathe {
namespace {

constexpr const char* picture = "loss.svg";

std::string loss_chart(const RunMetrics& metrics) {
  std::vector<Series> series(2);
  series[0].name = "training loss";
  series[1].name = "validation loss";
  const auto add = [](Series& to, const std::vector<MetricsLine>& lines, const char* name) {
    for (const MetricsLine& line : lines)
      if (const auto loss = line.get(name))
        to.points.emplace_back(static_cast<double>(line.step), *loss);
  };
  add(series[0], metrics.steps, "loss");
  add(series[1], metrics.validations, "eval_loss");
  std::erase_if(series, [](const Series& each) { return each.points.empty(); });
  return line_chart("step", series);
}

/// Seconds of all steps, without validations, in all processes that worked on the run.
double seconds_of_steps(const std::vector<MetricsLine>& steps) {
  double seconds = 0, before = 0;
  for (const MetricsLine& line : steps) {
    const double tokens = line.get("tokens").value_or(before);
    if (const auto rate = line.get("tokens_per_second"); rate && *rate > 0)
      seconds += (tokens - before) / *rate;
    before = tokens;
  }
  return seconds;
}

std::string gains_table(const BeforeAndAfter& gains) {
  std::string out = format("\n| | step {} | step {} | change |\n|---|---|---|---|\n",
                           gains.first_step, gains.step);
  for (const BeforeAndAfter::Measure& m : gains.measures)
    out += format("| {} | {:.4f} | {:.4f} | {} |\n", m.name, m.before, m.after, m.change);
  return out;
}

/// Every validation with the measures that the first has.
std::string validations_table(const std::vector<MetricsLine>& validations) {
  std::string head = "\n| step |", line = "\n|---|", rows;
  for (const auto& [name, value] : validations.front().numbers) {
    head += format(" {} |", name.substr(name.find('_') + 1));
    line += "---|";
  }
  for (const MetricsLine& each : validations) {
    rows += format("\n| {} |", each.step);
    for (const auto& [name, value] : validations.front().numbers) {
      const auto number = each.get(name);
      rows += number ? format(" {:.4f} |", *number) : " |";
    }
  }
  return head + line + rows + "\n";
}

}  // namespace

void write_report(const std::filesystem::path& run, const std::string& facts,
                  const RunMetrics& metrics, int64_t step) {
  std::string text = format("# {}\n\n", run.filename().string());
  for (size_t begin = 0; begin < facts.size();) {
    const size_t end = std::min(facts.find('\n', begin), facts.size());
    text += "- " + facts.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  text += format("- time: {} for the steps\n- result: of step {}\n",
                 clock_time(seconds_of_steps(metrics.steps)), step);
  text +=
      "\nThe recipe, with every setting, is in recipe.yaml; every number is in metrics.jsonl.\n";
  if (const auto gains = before_and_after(metrics, step)) text += gains_table(*gains);
  text += format("\n![loss by step]({})\n", picture);
  if (!metrics.validations.empty()) text += validations_table(metrics.validations);
  write_file_atomic(run / picture, loss_chart(metrics));
  write_file_atomic(run / "report.md", text);
}

}  // namespace lathe
