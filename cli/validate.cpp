#include "cli/validate.h"

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
  return recipe.sample_prompt +
         generate(model, tokenizer, {recipe.sample_prompt}, options).at(0).text;
}

}  // namespace

Evaluation validate(Model& model, Objective& objective, const Tokenizer& tokenizer,
                    const Recipe& recipe, const Dataset& data) {
  if (data.labels) {
    EvaluationBatches batches = validation_batches(data, recipe.data);
    ClassificationScores scores(*data.labels);
    return evaluate_classifier(model, scores, [&] { return batches.next(); });
  }
  const auto measure = [&](const DocumentSet* part) {
    EvaluationBatches batches = validation_batches(data, recipe.data, 0, 1, part);
    return evaluate(model, objective, [&] { return batches.next(); });
  };
  Evaluation all;
  if (data.validation_parts.empty()) all = measure(nullptr);
  for (const auto& [name, documents] : data.validation_parts) {
    const Evaluation e = measure(&documents);
    all.loss += (e.loss - all.loss) * e.tokens / std::max(1.0, all.tokens + e.tokens);
    all.tokens += e.tokens;
    all.text_bytes += e.text_bytes;
    all.metrics.emplace_back(name + "_loss", e.loss);
    all.metrics.emplace_back(name + "_perplexity", e.perplexity());
  }
  all.sample = sample(model, tokenizer, recipe);
  return all;
}

}  // namespace lathe
