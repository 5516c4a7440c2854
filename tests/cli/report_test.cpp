#include "cli/report.h"

#include <gtest/gtest.h>

#include "lathe/base/file.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Report, says_what_was_trained_what_changed_and_every_validation) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "metrics.jsonl",
                    R"({"step": 0, "eval_loss": 2.0, "eval_perplexity": 8.0}
{"step": 5, "loss": 1.5, "tokens": 100, "tokens_per_second": 10}
{"step": 5, "eval_loss": 1.0, "eval_perplexity": 6.0}
{"step": 9, "loss": 1.2, "tokens": 300, "tokens_per_second": 100}
{"step": 9, "eval_loss": 3.0, "eval_perplexity": null}
)");
  file_ops().make_directories(folder / "run");
  write_report(folder / "run", "model: llama\ntrained: 3 parameters",
               read_metrics(folder / "metrics.jsonl"), 5);
  const std::string report = read_file(folder / "run" / "report.md", 10'000);
  for (const char* part :
       {"# run\n", "- model: llama\n", "- trained: 3 parameters\n", "- time: 0:12 for the steps\n",
        "| perplexity | 8.0000 | 6.0000 | -25.0 % |", "| step | loss | perplexity |",
        "| 9 | 3.0000 | |", "![loss by step](loss.svg)"})
    EXPECT_TRUE(holds(report, part)) << part << "\n" << report;
  const std::string picture = read_file(folder / "run" / "loss.svg", 100'000);
  EXPECT_TRUE(holds(picture, "training loss") && holds(picture, "validation loss")) << picture;
}

}  // namespace
}  // namespace lathe
