#pragma once

#include "lathe/data/options.h"
#include "lathe/model/model.h"
#include "lathe/text/tokenizer.h"
#include "lathe/train/observer.h"

namespace lathe {

/// How well a model predicts the `valid_data` of the options.
Evaluation evaluate_data(Model& model, const Tokenizer& tokenizer, const DataOptions& options);

/// One line about it, for a person.
std::string describe(const Evaluation& evaluation);

/// How well a classifier labels them: for a person, with its surest mistakes, or as JSON. Throws
/// Error for a label that the model does not know.
std::string classifier_report(Model& model, const Tokenizer& tokenizer, const DataOptions& options,
                              bool json);

}  // namespace lathe
