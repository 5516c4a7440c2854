#include "cli/validate.h"

#include "lathe/generate/generate.h"
#include "lathe/train/evaluate.h"

namespace lathe {
namespace {

std::string sample(Model& model, const Tokenizer& tokenizer, const Recipe& recipe) {
  if (recipe.sample_tokens == 0) return {};
  SamplingOptions options;
  options.max_new_tokens = recipe.sample_tokens;
  options.temperature = 0.8;
  options.seed = recipe.train.seed;
  return recipe.sample_prompt +
         generate(model, tokenizer, {recipe.sample_prompt}, options).at(0).text;
}

}  // namespace

Evaluation validate(Model& model, Objective& objective, const Tokenizer& tokenizer,
                    const Recipe& recipe, const Dataset& data) {
  EvaluationBatches batches = validation_batches(data, recipe.data);
  const auto next = [&] { return batches.next(); };
  if (data.labels) {
    ClassificationScores scores(*data.labels);
    return evaluate_classifier(model, scores, next);
  }
  Evaluation e = evaluate(model, objective, next);
  e.sample = sample(model, tokenizer, recipe);
  return e;
}

}  // namespace lathe
