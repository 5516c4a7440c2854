#include "lathe/objective/next_token.h"

#include "lathe/ops/cross_entropy.h"

namespace lathe {

std::pair<Tensor, Tensor> predictions(Model& model, const Batch& batch) {
  const Tensor hidden =
      model.hidden_states({batch.input_ids, batch.position_ids, batch.segment_ids});  // (B, T, D)
  // The position before a label predicts it; a row's first label has none.
  const Tensor labels = batch.labels.narrow(1, 1, batch.length() - 1);  // (B, T-1)
  const Tensor where = labels.ne(ignored_label).nonzero();              // (N, 2)
  const Tensor row = where.select(1, 0);
  const Tensor position = where.select(1, 1);
  const Tensor flat = row * batch.length() + position;
  return {hidden.reshape({-1, hidden.size(2)}).index_select(0, flat),
          labels.index({row, position})};
}

Weights NextToken::weights(const Batch& batch) const {
  return {{"loss", static_cast<double>(batch.target_tokens)}};
}

std::vector<Term> NextToken::operator()(Model& model, const Batch& batch) {
  const auto [hidden, targets] = predictions(model, batch);
  return {{"loss", ops::linear_cross_entropy(hidden, model.output_weight(), targets)}};
}

}  // namespace lathe
