#include "cli/validate.h"

#include <numeric>

#include "lathe/generate/generate.h"
#include "lathe/train/evaluate.h"

namespace lathe {
namespace {

std::string sample(Model& model, const Tokenizer& tokenizer, const Recipe& recipe) {
  if (recipe.sample_tokens == 0) return {};
  SamplingOptions options;
  options.max_new_tokens = recipe.sample_tokens;
  options.draw.temperature = model.generation_config().sampling.temperature.value_or(0.8);
  options.seed = recipe.train.seed;
  // Of each adapter one, where rows choose.
  const std::vector<std::string> names = recipe.adapter_names();
  std::vector<int64_t> rows(names.size());
  std::iota(rows.begin(), rows.end(), 0);
  const std::vector<std::string> prompts(std::max<size_t>(1, names.size()), recipe.sample_prompt);
  const std::vector<Completion> all = generate(model, tokenizer, prompts, options, {}, rows);
  if (names.empty()) return recipe.sample_prompt + all.at(0).text;
  std::string text;
  for (size_t i = 0; i < all.size(); ++i)
    text += format("{}{}: {}{}", i > 0 ? "\n" : "", names[i], recipe.sample_prompt, all[i].text);
  return text;
}

}  // namespace

Evaluation Validation::measure_classifier() const {
  ClassificationScores all(*data.labels);
  Evaluation result;
  const auto add = [&](const std::string& name, const DocumentSet* part) {
    EvaluationBatches batches = validation_batches(data, recipe.data, 0, 1, part);
    ClassificationScores scores(*data.labels);
    const Evaluation e = evaluate_classifier(model, scores, [&] { return batches.next(); });
    all.add(scores);
    const auto texts = static_cast<double>(scores.texts());
    result.loss += (e.loss - result.loss) * texts / static_cast<double>(all.texts());
    if (part == nullptr) return;
    result.metrics.emplace_back(name + "_loss", e.loss);
    for (const auto& [metric, value] : e.metrics)
      result.metrics.emplace_back(format("{}_{}", name, metric), value);
  };
  for (const auto& [name, documents] : data.validation_parts) add(name, &documents);
  if (data.validation_parts.empty()) add({}, nullptr);
  const auto of_all = all.metrics();
  result.metrics.insert(result.metrics.begin(), of_all.begin(), of_all.end());
  return result;
}

Evaluation Validation::measure() const {
  if (data.labels) return measure_classifier();
  const auto loss_of = [&](const DocumentSet* part) {
    EvaluationBatches batches = validation_batches(data, recipe.data, 0, 1, part);
    return evaluate(model, objective, [&] { return batches.next(); });
  };
  Evaluation all;
  if (data.validation_parts.empty()) all = loss_of(nullptr);
  for (const auto& [name, documents] : data.validation_parts) {
    const Evaluation e = loss_of(&documents);
    all.loss += (e.loss - all.loss) * e.tokens / std::max(1.0, all.tokens + e.tokens);
    all.tokens += e.tokens;
    all.text_bytes += e.text_bytes;
    all.metrics.emplace_back(name + "_loss", e.loss);
    all.metrics.emplace_back(name + "_perplexity", e.perplexity());
  }
  if (!questions.empty()) {
    const ClozeScores scores = cloze_scores(questions, answer_cloze(model, tokenizer, questions));
    all.metrics.emplace_back("cloze_accuracy", scores.accuracy);
    all.metrics.emplace_back("cloze_accuracy_a_byte", scores.accuracy_a_byte);
  }
  all.sample = sample(model, tokenizer, recipe);
  return all;
}

std::vector<std::string> Validation::names() const {
  std::vector<std::string> of_each = {"loss"};
  if (data.labels)
    for (std::string& metric : metric_names(data.labels->type))
      of_each.push_back(std::move(metric));
  else
    of_each.emplace_back("perplexity");
  std::vector<std::string> names = of_each;
  // Where prompts are not to be predicted, their bytes are no measure.
  const auto has_targets = [](const auto& source) { return source->has_targets(); };
  if (!data.labels && std::ranges::none_of(data.validation.sources(), has_targets))
    names.emplace_back("bits_per_byte");
  for (const auto& [part, documents] : data.validation_parts)
    for (const std::string& metric : of_each) names.push_back(format("{}_{}", part, metric));
  if (!questions.empty()) names.insert(names.end(), {"cloze_accuracy", "cloze_accuracy_a_byte"});
  return names;
}

}  // namespace lathe
