// Which validation was the best, and when to stop waiting for a better one.
#pragma once

#include "lathe/options/fields.h"
#include "lathe/train/observer.h"

namespace lathe {

/// Keeping the best model, under the names of transformers' TrainingArguments and
/// EarlyStoppingCallback.
struct BestOptions {
  bool load_best_model_at_end = false;
  std::string metric_for_best_model = "loss";
  std::optional<bool> greater_is_better;
  int64_t early_stopping_patience = 0;
  double early_stopping_threshold = 0;

  void fields(Fields& f);
  /// Whether validations have to be compared.
  bool wanted() const { return load_best_model_at_end || early_stopping_patience > 0; }
  /// Throws Error if validations are to be compared and there is none, or one alone.
  void check(bool validates, int64_t eval_steps) const;
  /// Throws Error if validations are to be compared by something else than what they measure.
  void require_measured(const std::vector<std::string>& measured) const;
};

/// The best validation so far; part of a run's progress.
struct Best {
  double value = 0;
  int64_t step = -1;   ///< after which it was measured; -1: none was yet
  int64_t waited = 0;  ///< validations since one was better by more than the threshold
};

/// A measured value by its name, "eval_" before it or not: "loss", "perplexity", "bits_per_byte",
/// or one of the metrics. Throws Error with those there are for another.
double metric_of(const Evaluation& evaluation, const std::string& name);

/// Whether a metric of this name, such as "eval_films_loss", is a cost: the smaller, the better.
bool smaller_is_better(const std::string& metric);

/// Takes a validation into account; true if it is the best so far.
bool take_validation(Best& best, const Evaluation& evaluation, int64_t step,
                     const BestOptions& options);

/// Whether the run has waited long enough for a better one.
bool waited_enough(const Best& best, const BestOptions& options);

}  // namespace lathe
