#pragma once

#include "cli/recipe.h"
#include "lathe/data/dataset.h"
#include "lathe/generate/cloze.h"
#include "lathe/objective/objective.h"
#include "lathe/text/tokenizer.h"
#include "lathe/train/observer.h"

namespace lathe {

/// What a run measures at each validation: the loss, the answers to questions, with a generated
/// sample; of a classifier its metrics.
struct Validation {
  Model& model;
  Objective& objective;
  const Tokenizer& tokenizer;
  const Recipe& recipe;
  const Dataset& data;
  std::vector<ClozeQuestion> questions;

  Evaluation measure() const;
  Evaluation measure_classifier() const;
  /// The names of what is measured; bits_per_byte is not where only answers are learned.
  std::vector<std::string> names() const;
};

}  // namespace lathe
