// What a method of training minimises. One small file a method, named after it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lathe/base/tensor.h"
#include "lathe/data/batch.h"
#include "lathe/model/model.h"

namespace lathe {

/// One named part of a loss over one batch, as a sum: only the training loop divides, by the weight
/// of all micro-batches and all ranks. So accumulation, uneven batches and several devices give the
/// same gradient.
struct Term {
  std::string name;
  Tensor sum;  // scalar, differentiable
};

/// What the sums are over (tokens, pairs, examples): name of the term -> amount.
using Weights = std::map<std::string, double>;

/// What a model reads of a batch.
inline ModelInput model_input(const Batch& batch) {
  ModelInput input{batch.input_ids, batch.position_ids, batch.segment_ids};
  input.states = batch.states;
  input.first_layer = batch.first_layer;
  input.embedding_noise = batch.embedding_noise;
  input.adapters.dropout_seed = batch.dropout_seed;
  return input;
}

class Objective {
 public:
  virtual ~Objective() = default;
  /// The weight of each term in this batch, known before any forward pass.
  virtual Weights weights(const Batch& batch) const = 0;
  /// The terms of this batch, whose quotients sum / weight add up to the loss. `total`: where a
  /// step is at work, the weights of all of it, by which the sums will be divided before the
  /// backward pass; else empty.
  virtual std::vector<Term> operator()(Model& model, const Batch& batch, const Weights& total) = 0;
};

}  // namespace lathe
