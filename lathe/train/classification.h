// How well a classifier (or regression) does on labelled texts.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "lathe/base/tensor.h"
#include "lathe/data/labels.h"

namespace lathe {

/// A text whose class was predicted wrongly.
struct Mistake {
  int64_t text = 0;  ///< its place in the data, from 0
  int64_t predicted = 0, actual = 0;
  double probability = 0;  ///< that the model gave to its prediction
};

/// The names of ClassificationScores::metrics.
std::vector<std::string> metric_names(ProblemType type);

/// Collects predictions, then says what they are worth.
class ClassificationScores {
 public:
  explicit ClassificationScores(LabelSet labels) : labels_(std::move(labels)) {}

  /// Adds texts: logits and targets (N, outputs), as LabelSet::target has them.
  void add(const Tensor& logits, const Tensor& targets);

  /// By the names of the metrics, each from 0 to 1 unless said otherwise. Of one class each:
  /// "accuracy", "macro_f1" (the mean over classes that are there or predicted) and
  /// "calibration_error" (expected calibration error over 15 bins: Guo et al. 2017,
  /// arXiv:1706.04599). Of several: "accuracy" (all labels right), "macro_f1". Of numbers: "mse",
  /// "mae" (in their own unit), "pearson" (-1 to 1).
  std::vector<std::pair<std::string, double>> metrics() const;
  /// How often each class (row) was predicted as each (column); of one class each only.
  std::vector<std::vector<int64_t>> confusion() const;
  /// The mistakes the model was surest of, at most `count`; of one class each only.
  std::vector<Mistake> mistakes(size_t count) const;

  /// Adds what was added to another.
  void add(const ClassificationScores& other);

  const LabelSet& labels() const { return labels_; }
  int64_t texts() const;

 private:
  /// (N, outputs) float64 each.
  Tensor logits() const;
  Tensor targets() const;

  LabelSet labels_;
  std::vector<Tensor> logits_, targets_;
};

/// All of it as JSON: metrics, labels, and confusion matrix where there is one.
nlohmann::json to_json(const ClassificationScores& scores);
/// Metrics and confusion matrix for a person.
std::string to_text(const ClassificationScores& scores);

}  // namespace lathe
