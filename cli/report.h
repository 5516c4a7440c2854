#pragma once

#include "cli/before_and_after.h"

namespace lathe {

/// Writes what a finished run did for people to read: report.md, with the picture loss.svg, beside
/// its metrics.jsonl. `facts`: what was trained on what, lines of "name: value"; `step`: of the
/// result.
void write_report(const std::filesystem::path& run, const std::string& facts,
                  const RunMetrics& metrics, int64_t step);

}  // namespace lathe
