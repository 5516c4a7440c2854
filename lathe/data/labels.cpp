#include "lathe/data/labels.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "lathe/base/error.h"
#include "lathe/io/json.h"

namespace lathe {
namespace {

using nlohmann::json;

constexpr std::pair<ProblemType, const char*> type_names[] = {
    {ProblemType::single_label_classification, "single_label_classification"},
    {ProblemType::multi_label_classification, "multi_label_classification"},
    {ProblemType::regression, "regression"},
};

/// The name of a class: the text itself, or an integer in decimal.
std::string class_name(const json& label) {
  if (label.is_string()) return label.get<std::string>();
  if (label.is_number_integer()) return label.dump();
  fail("expected the name or number of a class, found {}", show_json(label));
}

/// A number for each class, 1.0 if the text has it and 0.0 if not, as in transformers' data.
bool is_multi_hot(const json& label) {
  return label.is_array() && !label.empty() && std::ranges::all_of(label, [](const json& each) {
           return each.is_number_float() && (each == 0.0 || each == 1.0);
         });
}

std::vector<std::string> class_names(const json& label) {
  if (!label.is_array()) return {class_name(label)};
  std::vector<std::string> names;
  const bool numbers = is_multi_hot(label);
  for (size_t i = 0; i < label.size(); ++i)
    if (!numbers)
      names.push_back(class_name(label[i]));
    else if (label[i] == 1.0)
      names.push_back(std::to_string(i));
  std::set<std::string> once(names.begin(), names.end());
  require(once.size() == names.size(),
          "expected names or numbers of classes, each once, found {}; a number for each class is "
          "written 0.0 or 1.0",
          show_json(label));
  return names;
}

ProblemType label_type(const std::vector<json>& labels) {
  bool lists = false, fractions = false, classes = false;
  for (const json& label : labels) {
    lists = lists || label.is_array();
    fractions = fractions || label.is_number_float();
    classes = classes || label.is_string();
  }
  require(!(fractions && (lists || classes)),
          "labels: found fractions and {}: expected either numbers to predict, or classes",
          lists ? "lists" : "names");
  if (lists) return ProblemType::multi_label_classification;
  return fractions ? ProblemType::regression : ProblemType::single_label_classification;
}

bool is_number(const std::string& s) {
  return !s.empty() && s.size() < 19 && s.find_first_not_of("0123456789", s[0] == '-') == s.npos &&
         s != "-";
}

/// Numbers by value, before names by the alphabet.
bool comes_before(const std::string& a, const std::string& b) {
  if (is_number(a) && is_number(b)) return std::stoll(a) < std::stoll(b);
  if (is_number(a) != is_number(b)) return is_number(a);
  return a < b;
}

}  // namespace

std::string_view problem_type_name(ProblemType type) {
  for (const auto& [known, name] : type_names)
    if (known == type) return name;
  fail("problem type {} is not known", static_cast<int>(type));
}

ProblemType problem_type_named(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [type, known] : type_names) {
    if (name == known) return type;
    names.emplace_back(known);
  }
  fail("\"problem_type\": expected one of {}, found {}", fmt::join(names, ", "), name);
}

std::vector<float> LabelSet::target(std::string_view text) const {
  const json label = parse_json(text);
  if (type == ProblemType::regression) {
    if (!label.is_number()) fail("expected a number as label, found {}", show_json(label));
    const auto value = label.get<float>();
    require(std::isfinite(value), "expected a number that float32 holds as label, found {}",
            show_json(label));
    return {value};
  }
  std::vector<float> outputs(names.size(), 0);
  require(type == ProblemType::multi_label_classification || !label.is_array(),
          "expected one label for each text, found {}", show_json(label));
  require(!is_multi_hot(label) || label.size() == names.size(),
          "expected a number for each of {} classes as label, found {}", names.size(),
          label.size());
  for (const std::string& name : class_names(label)) {
    auto found = std::ranges::find(names, name);
    // Where names are words, a number is the place of one, as in transformers' data.
    if (found == names.end() && is_number(name) && name[0] != '-' &&
        std::ranges::none_of(names, is_number) &&
        static_cast<size_t>(std::stoll(name)) < names.size())
      found = names.begin() + std::stoll(name);
    require(found != names.end(), "the label {} is not known; there are {}", name,
            fmt::join(names, ", "));
    outputs[static_cast<size_t>(found - names.begin())] = 1;
  }
  return outputs;
}

LabelSet find_labels(std::span<const std::string> labels, std::optional<ProblemType> wanted) {
  std::vector<json> parsed;
  for (const std::string& label : labels) parsed.push_back(parse_json(label));
  LabelSet set{.type = wanted.value_or(label_type(parsed)), .names = {}};
  if (set.type == ProblemType::regression) {
    set.names = {"LABEL_0"};
    return set;
  }
  std::set<std::string> names;
  for (const json& label : parsed) {
    if (is_multi_hot(label))  // classes that no text has, too
      for (size_t i = 0; i < label.size(); ++i) names.insert(std::to_string(i));
    else
      for (std::string& name : class_names(label)) names.insert(std::move(name));
  }
  set.names.assign(names.begin(), names.end());
  std::ranges::sort(set.names, comes_before);
  const size_t least = set.type == ProblemType::single_label_classification ? 2 : 1;
  require(set.names.size() >= least, "labels: expected at least {} classes, found {}", least,
          set.names.empty() ? "none" : set.names[0]);
  return set;
}

}  // namespace lathe
