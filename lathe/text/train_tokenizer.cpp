#include "lathe/text/train_tokenizer.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "lathe/text/tokenizer_recipe.h"
#include "rust/lathe_bridge.hpp"

namespace lathe {
namespace {

using Report = std::function<void(const TrainingProgress&)>;

/// Text handed to the bridge at once: enough to keep all threads busy.
constexpr size_t batch_bytes = size_t{16} << 20;
/// Texts are cut behind a line at this size, so that one long text keeps several threads busy.
constexpr size_t piece_bytes = size_t{256} << 10;

/// Appends the pieces of `text` to `pieces`.
void cut(std::string_view text, std::vector<LatheText>& pieces) {
  while (text.size() > piece_bytes) {
    const size_t line = text.find('\n', piece_bytes);
    if (line == text.npos) break;
    pieces.push_back(bridge::text_of(text.substr(0, line + 1)));
    text.remove_prefix(line + 1);
  }
  pieces.push_back(bridge::text_of(text));
}

void feed(LatheTrainer* trainer, const std::vector<std::string>& batch, TrainingProgress& status) {
  std::vector<LatheText> pieces;
  for (const std::string& text : batch) {
    cut(text, pieces);
    status.done += text.size();
  }
  LatheBytes error;
  bridge::check(lathe_trainer_feed(trainer, pieces.data(), pieces.size(), &status.words,
                                   &status.dropped, &error),
                error);
}

/// What the callback of the bridge needs.
struct Reporter {
  const Report& report;
  TrainingProgress& status;

  static void call(void* context, const char* stage, uint64_t done, uint64_t total) {
    const Reporter& self = *static_cast<Reporter*>(context);
    if (!self.report) return;
    self.status.stage = stage;
    self.status.done = done;
    self.status.total = total;
    self.report(self.status);
  }
};

void read_all(LatheTrainer* trainer, const std::function<std::optional<std::string>()>& next_text,
              TrainingProgress& status, const Report& progress) {
  status.stage = "reading";
  std::vector<std::string> batch;
  size_t bytes = 0;
  const auto flush = [&] {
    feed(trainer, batch, status);
    batch.clear();
    bytes = 0;
    if (progress) progress(status);
  };
  while (std::optional<std::string> text = next_text()) {
    bytes += text->size();
    batch.push_back(std::move(*text));
    if (bytes >= batch_bytes) flush();
  }
  if (!batch.empty()) flush();
  require(status.words > 0, "there is no text to train on");
}

}  // namespace

Tokenizer train_tokenizer(const TokenizerOptions& options,
                          const std::function<std::optional<std::string>()>& next_text,
                          const Report& progress) {
  const Context doing("training a tokenizer");
  const TokenizerOptions complete = complete_options(options);
  const std::string config = trainer_config(complete).dump();
  LatheTrainer* created = nullptr;
  LatheBytes error;
  bridge::check(lathe_trainer_new(bridge::text_of(config), &created, &error), error);
  bridge::TrainerPointer trainer(created);

  TrainingProgress status;
  read_all(trainer.get(), next_text, status, progress);

  Reporter reporter{progress, status};
  LatheTokenizer* trained = nullptr;
  bridge::check(
      lathe_trainer_finish(trainer.release(), Reporter::call, &reporter, &trained, &error), error);
  bridge::TokenizerPointer tokenizer(trained);
  const std::string around = trained_template(complete).dump();
  bridge::check(lathe_tokenizer_adjust(tokenizer.get(), bridge::text_of(around), &error), error);
  return Tokenizer::adopt(tokenizer.release(), trained_config(complete).dump());
}

}  // namespace lathe
