#include "lathe/train/best.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "lathe/base/error.h"

namespace lathe {
namespace {

std::string plain_name(const std::string& name) {
  return name.starts_with("eval_") ? name.substr(5) : name;
}

[[noreturn]] void refuse_metric(const std::string& name, const std::vector<std::string>& known) {
  fail("metric_for_best_model: expected one of {}, found {}", fmt::join(known, ", "), name);
}

bool larger_is_better(const BestOptions& options) {
  return options.greater_is_better.value_or(!smaller_is_better(options.metric_for_best_model));
}

}  // namespace

void BestOptions::fields(Fields& f) {
  f.group("Keeping the best");
  f("load_best_model_at_end", load_best_model_at_end,
    "The result is the model of the best validation, not of the last step.");
  f("metric_for_best_model", metric_for_best_model,
    "What is compared: loss, perplexity, bits_per_byte; of classifiers accuracy, macro_f1 and the "
    "like.");
  f("greater_is_better", greater_is_better,
    "Whether larger values are better; by default as the metric's name says.");
  f("early_stopping_patience", early_stopping_patience,
    "Stop after so many validations without a better one; 0: never.", {.minimum = 0});
  f("early_stopping_threshold", early_stopping_threshold,
    "A validation ends the waiting if it is better by more than this.", {.minimum = 0});
}

double metric_of(const Evaluation& evaluation, const std::string& name) {
  std::vector<std::pair<std::string, double>> known = {{"loss", evaluation.loss}};
  if (evaluation.tokens > 0) known.emplace_back("perplexity", evaluation.perplexity());
  if (const auto bits = evaluation.bits_per_byte()) known.emplace_back("bits_per_byte", *bits);
  known.insert(known.end(), evaluation.metrics.begin(), evaluation.metrics.end());
  std::vector<std::string> names;
  for (const auto& [each, value] : known) {
    if (each == plain_name(name)) return value;
    names.push_back(each);
  }
  refuse_metric(name, names);
}

void BestOptions::check(bool validates, int64_t eval_steps) const {
  require(
      validates || !wanted(),
      "load_best_model_at_end and early_stopping_patience compare validations: give valid_data or "
      "validation_split");
  require(
      early_stopping_patience == 0 || eval_steps > 0,
      "early_stopping_patience: with eval_steps: 0 there is one validation, at the end; say how "
      "many steps lie between two");
}

void BestOptions::require_measured(const std::vector<std::string>& measured) const {
  if (wanted() && std::ranges::find(measured, plain_name(metric_for_best_model)) == measured.end())
    refuse_metric(metric_for_best_model, measured);
}

bool smaller_is_better(const std::string& metric) {
  const std::string name = "_" + plain_name(metric);  // or "films_loss"
  return std::ranges::any_of(
      std::array{"_loss", "_perplexity", "_bits_per_byte", "_mse", "_mae", "_calibration_error"},
      [&](const char* end) { return name.ends_with(end); });
}

bool take_validation(Best& best, const Evaluation& evaluation, int64_t step,
                     const BestOptions& options) {
  const double value = metric_of(evaluation, options.metric_for_best_model);
  const double gain = larger_is_better(options) ? value - best.value : best.value - value;
  const bool first = best.step < 0, better = std::isfinite(value) && (first || gain > 0);
  const bool by_enough = better && (first || gain > options.early_stopping_threshold);
  best.waited = by_enough ? 0 : best.waited + 1;
  if (better) {
    best.value = value;
    best.step = step;
  }
  return better;
}

bool waited_enough(const Best& best, const BestOptions& options) {
  return options.early_stopping_patience > 0 && best.waited >= options.early_stopping_patience;
}

}  // namespace lathe
