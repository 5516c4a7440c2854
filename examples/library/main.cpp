// Trains a model with the library: from a text to a continuation.
#include <cstdio>

#include "lathe/lathe.h"

using namespace lathe;

struct Printer : Observer {
  void on_step(const StepReport& r) override {
    std::printf("step %3ld  loss %.3f\n", static_cast<long>(r.step), r.loss);
  }
};

int main() {
  const std::vector<std::pair<const char*, const char*>> sounds = {
      {"cat", "meow"}, {"dog", "woof"}, {"cow", "moo"}, {"duck", "quack"}, {"sheep", "baa"}};
  std::string text;
  for (int i = 0; i < 2000; ++i) {
    const auto& [animal, sound] = sounds[static_cast<size_t>(i * i + i / 7) % sounds.size()];
    text += format("the {} says {}\n", animal, sound);
  }
  write_file_atomic("animals.txt", text);

  std::optional<std::string> rest = text;  // given once, then nothing
  const Tokenizer tokenizer =
      train_tokenizer({.vocab_size = 300}, [&] { return std::exchange(rest, std::nullopt); });
  DataOptions data{.train_data = {{.path = "animals.txt"}}, .max_length = 64, .cache_dir = "cache"};
  const Dataset dataset = open_dataset(data, tokenizer, /*seed=*/1);
  const auto source = training_source(dataset, data, /*seed=*/1);

  ModelConfig config;
  config.vocab_size = tokenizer.vocab_size();
  config.hidden_size = 64;
  config.intermediate_size = 128;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 4;
  const auto model = new_model(config, /*seed=*/1);

  TrainOptions options{.max_steps = 100, .logging_steps = 25};
  options.optimizer.learning_rate = 3e-3;
  NextToken objective;
  Optimizer optimizer = make_optimizer(*model, options.optimizer);
  const auto alone = single_process();
  Printer printer;
  Training run{*model, objective, *source, optimizer, *alone, printer, nullptr, {}};
  train(run, options);

  SamplingOptions greedy{.max_new_tokens = 12, .draw = {.temperature = 0}, .stop = {"\n"}};
  std::printf("the cow says%s\n",
              generate(*model, tokenizer, {"the cow says"}, greedy)[0].text.c_str());
}
