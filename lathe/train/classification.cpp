#include "lathe/train/classification.h"

#include <nlohmann/json.hpp>
#include <numeric>

namespace lathe {
namespace {

constexpr int64_t calibration_bins = 15;

/// 2 * right / (predicted + actual) of each output, and the mean over those that occur.
double macro_f1(const Tensor& predicted, const Tensor& actual) {
  const Tensor right = (predicted * actual).sum(0);       // (outputs)
  const Tensor occur = predicted.sum(0) + actual.sum(0);  // (outputs)
  const Tensor f1 = (2 * right / occur.clamp_min(1)).masked_select(occur > 0);
  return f1.numel() == 0 ? 0 : f1.mean().item<double>();
}

double average(const Tensor& x) {
  return x.to(at::kDouble).mean().item<double>();
}

double expected_calibration_error(const Tensor& confidence, const Tensor& right) {
  const Tensor bin =
      (confidence * calibration_bins).floor().clamp(0, calibration_bins - 1).to(at::kLong);
  double error = 0;
  for (int64_t b = 0; b < calibration_bins; ++b) {
    const Tensor inside = bin == b;
    const Tensor sure = confidence.masked_select(inside), hit = right.masked_select(inside);
    if (sure.numel() == 0) continue;
    error += std::abs(average(sure) - average(hit)) * static_cast<double>(sure.numel());
  }
  return error / static_cast<double>(confidence.numel());
}

/// In the order of metric_names: logits x and targets y (N, outputs).
std::vector<double> metric_values(ProblemType type, const Tensor& x, const Tensor& y) {
  if (type == ProblemType::regression) {
    const Tensor difference = x - y;
    const Tensor a = x - x.mean(), b = y - y.mean();
    const double spread = std::sqrt((a.square().sum() * b.square().sum()).item<double>());
    return {average(difference.square()), average(difference.abs()),
            spread > 0 ? (a * b).sum().item<double>() / spread : 0};
  }
  if (type == ProblemType::multi_label_classification) {
    const Tensor predicted = (x > 0).to(at::kDouble);
    return {average(predicted.eq(y).all(1)), macro_f1(predicted, y)};
  }
  const auto [confidence, predicted] = at::softmax(x, 1).max(1);
  const Tensor right = predicted.eq(y.argmax(1)).to(at::kDouble);
  const Tensor chosen = at::zeros_like(x).scatter(1, predicted.unsqueeze(1), 1);
  return {average(right), macro_f1(chosen, y), expected_calibration_error(confidence, right)};
}

}  // namespace

void ClassificationScores::add(const ClassificationScores& other) {
  logits_.insert(logits_.end(), other.logits_.begin(), other.logits_.end());
  targets_.insert(targets_.end(), other.targets_.begin(), other.targets_.end());
}

void ClassificationScores::add(const Tensor& logits, const Tensor& targets) {
  require(logits.sizes() == targets.sizes() &&
              logits.size(1) == static_cast<int64_t>(labels_.names.size()),
          "classification: expected logits and targets for {} outputs, found {} and {}",
          labels_.names.size(), logits.sizes(), targets.sizes());
  logits_.push_back(logits.detach().to(at::kCPU, at::kDouble));
  targets_.push_back(targets.detach().to(at::kCPU, at::kDouble));
}

int64_t ClassificationScores::texts() const {
  return std::accumulate(logits_.begin(), logits_.end(), int64_t{0},
                         [](int64_t sum, const Tensor& x) { return sum + x.size(0); });
}

Tensor ClassificationScores::logits() const {
  return at::cat(logits_);
}
Tensor ClassificationScores::targets() const {
  return at::cat(targets_);
}

std::vector<std::string> metric_names(ProblemType type) {
  switch (type) {
    case ProblemType::regression:
      return {"mse", "mae", "pearson"};
    case ProblemType::multi_label_classification:
      return {"accuracy", "macro_f1"};
    case ProblemType::single_label_classification:
      return {"accuracy", "macro_f1", "calibration_error"};
  }
  fail("problem type {} is not known", static_cast<int>(type));
}

std::vector<std::pair<std::string, double>> ClassificationScores::metrics() const {
  require(texts() > 0, "there are no texts to judge the model by");
  const std::vector<double> values = metric_values(labels_.type, logits(), targets());
  std::vector<std::pair<std::string, double>> metrics;
  for (const std::string& name : metric_names(labels_.type))
    metrics.emplace_back(name, values.at(metrics.size()));
  return metrics;
}

std::vector<std::vector<int64_t>> ClassificationScores::confusion() const {
  const size_t classes = labels_.names.size();
  std::vector<std::vector<int64_t>> table(classes, std::vector<int64_t>(classes));
  const Tensor predicted = logits().argmax(1), actual = targets().argmax(1);
  for (int64_t i = 0; i < predicted.size(0); ++i)
    ++table[static_cast<size_t>(actual[i].item<int64_t>())]
           [static_cast<size_t>(predicted[i].item<int64_t>())];
  return table;
}

std::vector<Mistake> ClassificationScores::mistakes(size_t count) const {
  const auto [probability, predicted] = at::softmax(logits(), 1).max(1);
  const Tensor actual = targets().argmax(1);
  std::vector<Mistake> list;
  for (int64_t i = 0; i < predicted.size(0); ++i) {
    const Mistake m{i, predicted[i].item<int64_t>(), actual[i].item<int64_t>(),
                    probability[i].item<double>()};
    if (m.predicted != m.actual) list.push_back(m);
  }
  std::ranges::stable_sort(list, std::greater<>(), &Mistake::probability);
  list.resize(std::min(list.size(), count));
  return list;
}

nlohmann::json to_json(const ClassificationScores& scores) {
  nlohmann::json out = {{"texts", scores.texts()}, {"labels", scores.labels().names}};
  for (const auto& [name, value] : scores.metrics()) out[name] = value;
  if (scores.labels().type == ProblemType::single_label_classification)
    out["confusion"] = scores.confusion();
  return out;
}

std::string to_text(const ClassificationScores& scores) {
  std::string text = format("{} texts", scores.texts());
  for (const auto& [name, value] : scores.metrics()) text += format(", {} {:.4f}", name, value);
  if (scores.labels().type != ProblemType::single_label_classification) return text + "\n";
  const std::vector<std::string>& names = scores.labels().names;
  size_t width = 8;
  for (const std::string& name : names) width = std::max(width, name.size() + 2);
  text += format("\n\n{:<{}} predicted as\n{:<{}}", "class", width, "", width);
  for (const std::string& name : names) text += format("{:>{}}", name, width);
  const auto table = scores.confusion();
  for (size_t i = 0; i < names.size(); ++i) {
    text += format("\n{:<{}}", names[i], width);
    for (const int64_t count : table[i]) text += format("{:>{}}", count, width);
  }
  return text + "\n";
}

}  // namespace lathe
