// How the makers of a model let it write.
#include "lathe/model/generation_config.h"

#include <gtest/gtest.h>

#include "lathe/model/files.h"
#include "lathe/model/inspect.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_model.h"

namespace lathe {
namespace {

TEST(GenerationConfig, gives_the_sampling_of_a_model_that_samples) {
  const GenerationConfig read = read_generation_config(
      R"({"do_sample": true, "temperature": 0.7, "top_k": 20, "top_p": 0.8, "min_p": null,
          "repetition_penalty": 1.05, "pad_token_id": 3, "transformers_version": "4.37.0"})");
  EXPECT_EQ(read.sampling,
            (Sampling{.temperature = 0.7, .top_k = 20, .top_p = 0.8, .repetition_penalty = 1.05}));
}

TEST(GenerationConfig, says_nothing_of_sampling_for_a_model_that_does_not) {
  EXPECT_EQ(read_generation_config(R"({"temperature": 0.1})").sampling, Sampling());
  EXPECT_EQ(read_generation_config(R"({"do_sample": false, "top_k": 1})").sampling, Sampling());
  EXPECT_EQ(read_generation_config("{}").sampling, Sampling());
}

TEST(GenerationConfig, gives_the_tokens_that_end_a_text) {
  EXPECT_EQ(read_generation_config(R"({"eos_token_id": 7})").eos_token_id,
            (std::vector<int64_t>{7}));
  EXPECT_EQ(read_generation_config(R"({"eos_token_id": [7, 9]})").eos_token_id,
            (std::vector<int64_t>{7, 9}));
  EXPECT_TRUE(read_generation_config(R"({"eos_token_id": null})").eos_token_id.empty());
}

TEST(GenerationConfig, refuses_what_no_text_can_be_drawn_with) {
  const auto error = [](const std::string& members) {
    return message_of([&] { read_generation_config("{\"do_sample\": true, " + members + "}"); });
  };
  EXPECT_EQ(error(R"("temperature": -1)"), "\"temperature\": expected a number >= 0, found \"-1\"");
  EXPECT_TRUE(says(error(R"("temperature": "warm")"), "\"temperature\": expected a number"));
  EXPECT_TRUE(says(error(R"("temperature": "0.7")"), "\"temperature\": expected a number"));
  EXPECT_TRUE(says(error(R"("temperature": [1])"), "\"temperature\": expected a number"));
  EXPECT_TRUE(says(error(R"("temperature": 1e999)"), ""));
  EXPECT_TRUE(says(error(R"("top_k": 2.5)"), "\"top_k\": expected an integer"));
  EXPECT_TRUE(says(error(R"("top_k": -1)"), "\"top_k\": expected an integer"));
  EXPECT_TRUE(says(error(R"("top_k": 18446744073709551615)"), "\"top_k\": expected an integer"));
  EXPECT_TRUE(says(error(R"("top_p": 0)"), "\"top_p\""));
  EXPECT_TRUE(says(error(R"("top_p": 1.5)"), "\"top_p\""));
  EXPECT_TRUE(says(error(R"("repetition_penalty": 0)"), "\"repetition_penalty\""));
  EXPECT_TRUE(says(error(R"("top_k": 1, "top_k": 2)"), "twice"));
  EXPECT_TRUE(says(error(R"("eos_token_id": -1)"), "\"eos_token_id\""));
  EXPECT_TRUE(says(error(R"("eos_token_id": [1, "x"])"), "\"eos_token_id\""));
  EXPECT_TRUE(says(error(R"("eos_token_id": {"a": 1})"), "\"eos_token_id\""));
  EXPECT_TRUE(says(error(R"("do_sample_": 1,)"), "line 1"));
  EXPECT_TRUE(says(message_of([] { read_generation_config(R"({"do_sample": "yes"})"); }),
                   "\"do_sample\": expected true or false"));
  EXPECT_TRUE(says(message_of([] { read_generation_config("[]"); }), "expected an object"));
  EXPECT_TRUE(says(message_of([] { read_generation_config(""); }), ""));
}

TEST(Sampling, what_is_given_goes_before_what_the_model_says) {
  const Sampling given{.temperature = 0.0, .top_p = 1.0};
  const Sampling model{.temperature = 0.7, .top_k = 20, .top_p = 0.8};
  const Sampling both = given.or_else(model);
  EXPECT_EQ(both.temperature, 0.0);
  EXPECT_EQ(both.top_k, 20);
  EXPECT_EQ(both.top_p, 1.0);
  EXPECT_FALSE(both.min_p);
}

class ModelWithGeneration : public testing::Test {
 protected:
  void SetUp() override { save_model(*new_model(tiny_config(), 1), folder_.path()); }
  void write(const std::string& text) {
    write_file_atomic(folder_ / "generation_config.json", text);
  }

  TemporaryFolder folder_;
};

TEST_F(ModelWithGeneration, keeps_the_file_as_it_is) {
  EXPECT_FALSE(fs::exists(folder_ / "generation_config.json"));
  const std::string text =
      "\xEF\xBB\xBF{ \"do_sample\": true,\n \"temperature\": 0.25, \"x\": [] }";
  write(text);
  const auto model = load_model(folder_.path());
  EXPECT_EQ(model->generation_config().sampling.temperature, 0.25);
  const TemporaryFolder copy;
  save_model(*model, copy.path());
  EXPECT_EQ(read_file(copy / "generation_config.json"), text);
}

TEST_F(ModelWithGeneration, names_a_file_that_is_damaged) {
  write("{\"eos_token_id\": -5}");
  const std::string path = (folder_ / "generation_config.json").string();
  EXPECT_TRUE(says(message_of([&] { load_model(folder_.path()); }), "reading " + path));
  const ModelReport report = inspect_model(folder_.path());
  ASSERT_EQ(report.problems.size(), 1U);
  EXPECT_NE(report.problems[0].find("eos_token_id"), std::string::npos);
  write("{}" + std::string(2'000'000, ' '));
  EXPECT_TRUE(says(message_of([&] { load_model(folder_.path()); }), "generation_config.json"));
}

}  // namespace
}  // namespace lathe
