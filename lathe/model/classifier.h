#pragma once

#include <memory>

#include "lathe/model/model.h"

namespace lathe {

/// The body of a model with a new output layer, one output for each of `labels`: the model of
/// transformers' ...ForSequenceClassification, which reads the last token of a text. The outputs'
/// weights are drawn from the stream (seed, "score.weight"); all others are those of `model`,
/// shared. `problem_type` as in transformers.
std::unique_ptr<Model> classifier_of(Model& model, const std::vector<std::string>& labels,
                                     const std::string& problem_type, uint64_t seed);

}  // namespace lathe
