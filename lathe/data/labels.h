// What the labels of a data set mean: which outputs a classifier has.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lathe {

/// What is predicted of a text, by the names of transformers' problem_type.
enum class ProblemType {
  single_label_classification,  ///< one of the classes
  multi_label_classification,   ///< any number of the classes
  regression,                   ///< a number
};
std::string_view problem_type_name(ProblemType type);
/// Throws Error for another name, with those there are.
ProblemType problem_type_named(std::string_view name);

/// The outputs of a classifier, by name; a regression has one.
struct LabelSet {
  ProblemType type = ProblemType::single_label_classification;
  std::vector<std::string> names;

  /// What the outputs should be for a label as data has it (JSON): 1 for its class or classes and 0
  /// for the others; of a regression the number. Throws Error for a label that is none of these,
  /// with those there are.
  std::vector<float> target(std::string_view label) const;
  bool operator==(const LabelSet&) const = default;
};

/// The label set that explains all of these labels (JSON): lists are several labels, fractions are
/// numbers to predict, anything else is one class. Classes are in the order of the alphabet, or of
/// numbers. Throws Error if there are labels of several kinds, or only one class.
LabelSet find_labels(std::span<const std::string> labels,
                     std::optional<ProblemType> wanted = std::nullopt);

}  // namespace lathe
