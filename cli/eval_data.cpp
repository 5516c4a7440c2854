#include "cli/eval_data.h"

#include <nlohmann/json.hpp>

#include "cli/dates.h"
#include "cli/progress.h"
#include "lathe/data/dataset.h"
#include "lathe/objective/next_token.h"
#include "lathe/train/evaluate.h"

namespace lathe {
namespace {

constexpr size_t mistakes_shown = 10;

Dataset open(const Model& model, DataOptions options, const Tokenizer& tokenizer,
             const Labels& labels) {
  if (options.chat_template_date.empty()) options.chat_template_date = today();
  for (const DataSource& source : options.valid_data)
    require(source.adapter.empty(),
            "{}: adapter: {}, but nothing here chooses between adapters: give --adapter",
            source.path, source.adapter);
  ProgressLine line;
  Dataset set = open_dataset(options, tokenizer, 0, data_progress(line), labels);
  line.print(set.valid_report.summary());
  require_known_tokens(set, model.config().vocab_size, tokenizer);
  return set;
}

/// The beginning of a text of the set.
std::string text_of(const DocumentSet& set, int64_t text, const Tokenizer& tokenizer) {
  constexpr uint64_t most = 60;
  return beginning_of(set[static_cast<uint64_t>(text)], tokenizer, most,
                      /*skip_special_tokens=*/true);
}

}  // namespace

Evaluation evaluate_data(Model& model, const Tokenizer& tokenizer, const DataOptions& options) {
  const Dataset set = open(model, options, tokenizer, {});
  EvaluationBatches batches = validation_batches(set, options);
  NextToken objective;
  return evaluate(model, objective, [&] { return batches.next(); });
}

std::string describe(const Evaluation& e) {
  const auto bits = e.bits_per_byte();
  return format("loss {:.5f} nats a token, perplexity {:.4f}{}, {:.0f} tokens\n", e.loss,
                e.perplexity(), bits ? format(", {:.4f} bits per byte", *bits) : "", e.tokens);
}

std::string classifier_report(Model& model, const Tokenizer& tokenizer, const DataOptions& options,
                              bool json) {
  const LabelSet labels{problem_type_named(model.config().problem_type), model.config().labels};
  const Dataset set = open(model, options, tokenizer, {.wanted = true, .known = labels});
  EvaluationBatches batches = validation_batches(set, options);
  ClassificationScores scores(labels);
  const Evaluation e = evaluate_classifier(model, scores, [&] { return batches.next(); });
  const bool one = labels.type == ProblemType::single_label_classification;
  const std::vector<Mistake> mistakes =
      one ? scores.mistakes(mistakes_shown) : std::vector<Mistake>();
  if (json) {
    nlohmann::json out = to_json(scores);
    out["loss"] = e.loss;
    for (const Mistake& m : mistakes)
      out["mistakes"].push_back({{"text", text_of(set.validation, m.text, tokenizer)},
                                 {"predicted", labels.names[static_cast<size_t>(m.predicted)]},
                                 {"label", labels.names[static_cast<size_t>(m.actual)]},
                                 {"probability", m.probability}});
    return out.dump() + "\n";
  }
  std::string text = format("loss {:.5f}, ", e.loss) + to_text(scores);
  if (!mistakes.empty()) text += "\nthe surest mistakes\n";
  for (const Mistake& m : mistakes)
    text += format(
        "{:.3f} {} (is {}): {}\n", m.probability, labels.names[static_cast<size_t>(m.predicted)],
        labels.names[static_cast<size_t>(m.actual)], text_of(set.validation, m.text, tokenizer));
  return text;
}

}  // namespace lathe
