// The program in a folder of its own.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <nlohmann/json.hpp>

#include "lathe/base/file.h"
#include "lathe/base/format.h"
#include "tests/support/temporary_folder.h"

namespace lathe {

struct Output {
  int code;
  std::string out, err;
};

class Binary : public testing::Test {
 protected:
  /// Runs `lathe ARGUMENTS` in the test's folder, through the shell; `before` goes in front.
  Output lathe(const std::string& arguments, const std::string& before = "") {
    const std::string command = format("cd '{}' && {} '{}' {} >out 2>err", folder_.path().string(),
                                       before, LATHE_BINARY, arguments);
    const int status = std::system(command.c_str());
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return {code, read_file(folder_ / "out"), read_file(folder_ / "err")};
  }

  void write(const std::string& name, const std::string& text) {
    write_file_atomic(folder_ / name, text);
  }

  /// Text to learn, a tokenizer for it, and a recipe.
  void SetUp() override {
    std::string text;
    for (int i = 0; i < 400; ++i)
      text += format("Line {} of the story: the cat number {} sees {} birds.\n", i, i % 7, i % 5);
    write("story.txt", text);
    const Output made = lathe("tokenizer story.txt --vocab-size 300 --out tok");
    ASSERT_EQ(made.code, 0) << made.err;
    write("recipe.yaml",
          "model: {hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2,\n"
          "  num_attention_heads: 4, num_key_value_heads: 2}\n"
          "tokenizer: tok\n"
          "train_data: [{path: story.txt, document_start: Line}]\n"
          "validation_split: 0.1\n"
          "max_length: 32\n"
          "per_device_train_batch_size: 4\n"
          "max_steps: 30\n"
          "learning_rate: 5e-3\n"
          "logging_steps: 5\n"
          "eval_steps: 15\n"
          "save_steps: 10\n"
          "sample_prompt: Line\n"
          "sample_tokens: 8\n"
          "cache_dir: cache\n"
          "output_dir: run\n");
  }

  /// rows.jsonl: 40 prompts with their completions.
  void write_answers() {
    std::string rows;
    for (int i = 0; i < 40; ++i)
      rows += format("{{\"prompt\": \"the cat number {} sees\", \"completion\": \" {} birds\"}}\n",
                     i % 7, i % 5);
    write("rows.jsonl", rows);
  }

  /// rows.jsonl: 60 texts of two classes.
  void write_labelled() {
    std::string rows;
    for (int i = 0; i < 60; ++i)
      rows += format("{{\"text\": \"the {} number {} sees\", \"label\": \"{}\"}}\n",
                     i % 2 == 0 ? "cat" : "bird", i, i % 2 == 0 ? "beast" : "fowl");
    write("rows.jsonl", rows);
  }

  std::vector<nlohmann::json> metrics(const std::string& run) {
    std::vector<nlohmann::json> lines;
    std::istringstream text(read_file(folder_ / (run + "/metrics.jsonl")));
    for (std::string line; std::getline(text, line);) {
      lines.push_back(nlohmann::json::parse(line));
      lines.back().erase("tokens_per_second");
    }
    return lines;
  }

  std::string model_bytes(const std::string& run) {
    return read_file(folder_ / (run + "/model/model.safetensors"));
  }

  TemporaryFolder folder_;
};

}  // namespace lathe
