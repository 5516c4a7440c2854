#pragma once

#include "lathe/objective/objective.h"

namespace lathe {

/// Language modelling: each token is predicted from those before it (Bengio et al. 2003):
/// loss = mean over targets of -log p(token_t | token_0 .. token_t-1).
///
/// Models with mixtures of experts and output_router_logits add, in training, the loss that
/// balances them (Fedus et al. 2021, arXiv:2101.03961, equations 4 to 6), a mean over micro-batches
/// as in transformers.
class NextToken final : public Objective {
 public:
  Weights weights(const Batch& batch) const override;
  std::vector<Term> operator()(Model& model, const Batch& batch, const Weights& total) override;
};

/// Of the hidden states (B, T, D) of rows with labels (B, T) those that predict targets, (N, D),
/// and the targets (N) int64, N being the number of labels that are not ignored.
std::pair<Tensor, Tensor> predictions(const Tensor& hidden, const Tensor& labels);

}  // namespace lathe
