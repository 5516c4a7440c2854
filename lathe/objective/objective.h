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
  input.adapters.rows = batch.adapters;
  input.adapters.dropout_seed = batch.dropout_seed;
  return input;
}

/// The rows of a batch whose losses are summed in one term.
struct RowGroup {
  std::string term;
  std::vector<int64_t> rows;  ///< empty: all

  /// Those rows of a tensor (B, ...).
  Tensor of(const Tensor& tensor) const;
};

/// The name of a term of the rows that adapter number `adapter` learns.
std::string term_of_adapter(const std::string& name, int64_t adapter);

/// All rows in the term `name`; or, where rows choose between adapters, those of each in a term of
/// its own, so that each learns from a mean over its own rows.
std::vector<RowGroup> row_groups(const Batch& batch, const std::string& name);

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
