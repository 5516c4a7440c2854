#include "lathe/model/inspect.h"

#include <gtest/gtest.h>

#include "lathe/base/file.h"
#include "lathe/model/files.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_model.h"

namespace lathe {
namespace {

class InspectModel : public testing::Test {
 protected:
  void SetUp() override { save_model(*new_model(small_config(), 1), folder_.path()); }
  /// Replaces a part of a file's text.
  void edit(const std::string& name, const std::string& from, const std::string& to) const {
    std::string text = read_file(folder_ / name);
    ASSERT_NE(text.find(from), std::string::npos);
    text.replace(text.find(from), from.size(), to);
    write_file_atomic(folder_ / name, text);
  }
  /// The problems, one a line.
  std::string problems() const {
    std::string all;
    for (const std::string& problem : inspect_model(folder_.path()).problems) all += problem + "\n";
    return all;
  }

  TemporaryFolder folder_;
};

TEST_F(InspectModel, counts_each_parameter_once) {
  const ModelReport report = inspect_model(folder_.path());
  EXPECT_TRUE(report.problems.empty());
  EXPECT_EQ(report.parameters(), new_model(small_config(), 1)->parameter_count());
  EXPECT_EQ(report.stored_bytes(), 4 * static_cast<uint64_t>(report.parameters()));
  ASSERT_EQ(report.parts.size(), 5U);  // in the order of a forward pass
  EXPECT_EQ(report.parts[0].name, "embeddings");
  EXPECT_EQ(report.parts[0].parameters, 50 * 16);
  EXPECT_EQ(report.parts[1].name, "attention");
  EXPECT_EQ(report.parts[2].name, "MLP");
  EXPECT_EQ(report.parts[2].parameters, 2 * 3 * 16 * 24);
  EXPECT_EQ(report.parts[3].name, "norms");
  EXPECT_EQ(report.parts[4].name, "output layer");
}

TEST_F(InspectModel, names_what_is_wrong_and_tells_the_rest) {
  edit("config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3");
  EXPECT_NE(problems().find("9 of the tensors that config.json asks for are missing: "
                            "model.layers.2.self_attn.q_proj.weight"),
            std::string::npos)
      << problems();
  edit("config.json", "\"intermediate_size\": 24", "\"intermediate_size\": 25");
  EXPECT_NE(problems().find("config.json asks for the shape (25, 16), found (24, 16)"),
            std::string::npos)
      << problems();
  edit("config.json", "{", "[");
  EXPECT_NE(problems().find("config.json"), std::string::npos);
  EXPECT_GT(inspect_model(folder_.path()).parameters(), 0);  // the weights are sound
}

TEST_F(InspectModel, notices_a_file_that_was_cut_off) {
  fs::resize_file(folder_ / "model.safetensors", fs::file_size(folder_ / "model.safetensors") - 9);
  const ModelReport report = inspect_model(folder_.path());
  EXPECT_EQ(report.problems.size(), 1U);
  EXPECT_TRUE(report.config.has_value());
  EXPECT_EQ(report.tensors, 0U);
}

}  // namespace
}  // namespace lathe
