#pragma once

#include "lathe/objective/objective.h"

namespace lathe {

/// Language modelling: each token is predicted from those before it (Bengio et al. 2003):
/// loss = mean over targets of -log p(token_t | token_0 .. token_t-1).
class NextToken final : public Objective {
 public:
  Weights weights(const Batch& batch) const override;
  std::vector<Term> operator()(Model& model, const Batch& batch) override;
};

/// The hidden states (N, D) that predict the batch's targets, and those targets (N) int64, N being
/// the number of labels that are not ignored.
std::pair<Tensor, Tensor> predictions(Model& model, const Batch& batch);

}  // namespace lathe
