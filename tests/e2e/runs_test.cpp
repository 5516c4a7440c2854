// Runs that are stopped, begun anew, or go wrong.
#include "tests/e2e/binary.h"

namespace lathe {
namespace {

TEST_F(Binary, a_stopped_run_goes_on_bit_for_bit) {
  ASSERT_EQ(lathe("train recipe.yaml --output_dir whole").code, 0);
  // Stops soon after it has begun; what it wrote until then does not matter.
  const Output stopped = lathe("train recipe.yaml --output_dir parts", "timeout -s TERM 0.7");
  (void)stopped;
  const Output resumed = lathe("train recipe.yaml --output_dir parts");
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(model_bytes("parts"), model_bytes("whole"));
  EXPECT_EQ(metrics("parts"), metrics("whole"));
}

TEST_F(Binary, refuses_to_go_on_with_another_recipe_and_names_the_keys) {
  ASSERT_EQ(lathe("train recipe.yaml --max_steps 2").code, 0);
  const Output other = lathe("train recipe.yaml --max_steps 3 --learning_rate 1e-3");
  EXPECT_EQ(other.code, 1);
  EXPECT_NE(other.err.find("max_steps"), std::string::npos) << other.err;
  EXPECT_NE(other.err.find("learning_rate"), std::string::npos) << other.err;
  EXPECT_NE(other.err.find("--overwrite"), std::string::npos) << other.err;
  EXPECT_EQ(lathe("train recipe.yaml --max_steps 3 --overwrite").code, 0);
}

TEST_F(Binary, what_is_to_be_overwritten_stays_until_the_new_run_begins) {
  ASSERT_EQ(lathe("train recipe.yaml --max_steps 2").code, 0);
  const std::string model = model_bytes("run");
  const Output mistaken = lathe("train recipe.yaml --overwrite --train_data nowhere.txt");
  EXPECT_EQ(mistaken.code, 1) << mistaken.err;
  EXPECT_EQ(model_bytes("run"), model);
  const Output begun = lathe("train recipe.yaml --overwrite --max_steps 3");
  EXPECT_EQ(begun.code, 0) << begun.err;
  EXPECT_NE(model_bytes("run"), model);
  EXPECT_NE(read_file(folder_ / "run/report.md").find("result: of step 3"), std::string::npos);
}

TEST_F(Binary, rows_longer_than_a_model_was_made_for_are_told) {
  ASSERT_EQ(lathe("train recipe.yaml --max_steps 1 --model.max_position_embeddings 32").code, 0);
  const std::string more =
      "train --model run/model --train_data story.txt --max_steps 1 "
      "--cache_dir cache --output_dir more --max_length 64";
  const Output longer = lathe(more);
  EXPECT_NE(longer.err.find("the model was made for 32 positions"), std::string::npos)
      << longer.err;
}

TEST_F(Binary, bad_input_is_an_error_that_says_what_to_do) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"train recipe.yaml --learning_rat 1", "learning_rate"},
      {"train missing.yaml", "missing.yaml"},
      {"train recipe.yaml --tokenizer nowhere", "nowhere"},
      {"train recipe.yaml --train_data nothing-*.txt", "nothing-*.txt"},
      {"train recipe.yaml --model.num_attention_heads 5", "num_attention_heads"},
      {"train recipe.yaml --class_weight balanced", "only texts that are classified have labels"},
      {"generate --model nowhere --prompt x", "nowhere"},
      {"eval --model nowhere --data story.txt", "nowhere"},
      {"frobnicate", "frobnicate"}};
  for (const auto& [arguments, part] : cases) {
    const Output result = lathe(arguments);
    EXPECT_TRUE(result.code == 1 || result.code == 2) << arguments << ": " << result.code;
    EXPECT_NE(result.err.find(part), std::string::npos) << arguments << ": " << result.err;
    EXPECT_EQ(result.err.find("bug"), std::string::npos) << result.err;
  }
}

TEST_F(Binary, a_diverging_run_stops_and_says_where) {
  const Output result = lathe("train recipe.yaml --learning_rate 1e30 --max_grad_norm 0");
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.err.find("not finite"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace lathe
