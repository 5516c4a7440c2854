#include "cli/before_and_after.h"

#include <gtest/gtest.h>

#include "lathe/base/file.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

const char* const lines =
    R"({"step": 0, "eval_loss": 2.0, "eval_perplexity": 8.0, "eval_new_loss": 1.0, "eval_accuracy": 0.5})"
    "\n"
    R"({"step": 5, "loss": 1.5})"
    "\n"
    R"({"step": 5, "eval_loss": 1.0, "eval_perplexity": 6.0, "eval_new_loss": 0.5, "eval_accuracy": 0.75})"
    "\n"
    R"({"step": 9, "eval_loss": 3.0, "eval_perplexity": null, "eval_new_loss": 2.0, "eval_accuracy": 1.0})"
    "\n";

TEST(BeforeAndAfter, shows_each_measure_of_the_first_validation_beside_that_of_the_result) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "m.jsonl", lines);
  const RunMetrics metrics = read_metrics(folder / "m.jsonl");
  const std::string table = before_and_after(metrics, 5).value().text();
  const auto has = [&](const char* part) { return table.find(part) != std::string::npos; };
  EXPECT_TRUE(has("step 0      step 5")) << table;
  EXPECT_TRUE(has("8.0000      6.0000     -25.0 %")) << table;
  EXPECT_TRUE(has("0.5000      0.7500     +0.2500")) << table;
  EXPECT_TRUE(has("new_loss")) << table;
  EXPECT_FALSE(has("  loss")) << table;  // which the perplexity says
  const std::string not_finite = before_and_after(metrics, 9).value().text();
  EXPECT_EQ(not_finite.find("perplexity"), std::string::npos) << not_finite;
  EXPECT_NE(not_finite.find("accuracy"), std::string::npos) << not_finite;
}

TEST(BeforeAndAfter, needs_two_validations) {
  const TemporaryFolder folder;
  EXPECT_FALSE(before_and_after(read_metrics(folder / "m.jsonl"), 5));
  write_file_atomic(folder / "m.jsonl", lines);
  EXPECT_FALSE(before_and_after(read_metrics(folder / "m.jsonl"), 0));
  EXPECT_FALSE(before_and_after(read_metrics(folder / "m.jsonl"), 7));
}

}  // namespace
}  // namespace lathe
