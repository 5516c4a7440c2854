// Trains a model with the library: sums of two numbers, from a text file to a continuation.
#include <cstdio>

#include "lathe/lathe.h"

using namespace lathe;

struct Printer : Observer {
  void on_step(const StepReport& r) override {
    std::printf("step %3ld  loss %.3f\n", static_cast<long>(r.step), r.loss);
  }
};

int main() {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += format("{}+{}={}\n", i % 50, i / 50, i % 50 + i / 50);
  write_file_atomic("sums.txt", text);

  std::optional<std::string> rest = text;  // given once, then nothing
  const Tokenizer tokenizer =
      train_tokenizer({.vocab_size = 300}, [&] { return std::exchange(rest, std::nullopt); });
  DataOptions data{.train_data = {{.path = "sums.txt"}}, .max_length = 64, .cache_dir = "cache"};
  const Dataset dataset = open_dataset(data, tokenizer, /*seed=*/1);
  const auto source = training_source(dataset, data, /*seed=*/1);

  ModelConfig config;
  config.vocab_size = tokenizer.vocab_size();
  config.hidden_size = 64;
  config.intermediate_size = 128;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 4;
  const auto model = new_model(config, /*seed=*/1);

  TrainOptions options{.max_steps = 400, .logging_steps = 100};
  options.optimizer.learning_rate = 3e-3;
  NextToken objective;
  Optimizer optimizer = make_optimizer(*model, options.optimizer);
  const auto alone = single_process();
  Printer printer;
  Training run{*model, objective, *source, optimizer, *alone, printer, nullptr, {}};
  train(run, options);

  SamplingOptions greedy{.max_new_tokens = 12, .temperature = 0, .stop = {"\n"}};
  std::printf("7+8=%s\n", generate(*model, tokenizer, {"7+8="}, greedy)[0].text.c_str());
}
