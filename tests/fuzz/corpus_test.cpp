// The seeds of the fuzzers, and what these have found, by the same entry points.
#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "lathe/base/file.h"
#include "tests/fuzz/targets.h"
#include "tests/support/errors.h"

namespace lathe {
namespace {

const fs::path corpora = fs::path(LATHE_TEST_DATA) / "fuzz/corpus";

class FuzzCorpus : public testing::TestWithParam<FuzzTarget> {};

TEST_P(FuzzCorpus, each_input_is_read_or_refused_soon) {
  std::set<fs::path> inputs;
  for (const fs::directory_entry& entry : fs::directory_iterator(corpora / GetParam().name))
    inputs.insert(entry.path());
  ASSERT_FALSE(inputs.empty());
  int read = 0;
  for (const fs::path& input : inputs) {
    SCOPED_TRACE(input.filename().string());
    const std::string content = read_file(input);
    const auto begin = std::chrono::steady_clock::now();
    std::string message = "read";
    EXPECT_NO_THROW(message = message_of([&] { GetParam().run(content); }));
    read += message == "no error";
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10)) << message;
  }
  EXPECT_GT(read, 0) << "no input of " << GetParam().name << " is without fault";
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzCorpus,
                         testing::ValuesIn(fuzz_targets().begin(), fuzz_targets().end()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace lathe
