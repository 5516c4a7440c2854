#include "lathe/objective/next_token.h"

#include "lathe/objective/router_balance.h"

namespace lathe {

std::pair<Tensor, Tensor> predictions(const Tensor& hidden, const Batch& batch) {
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
  return {{"loss", static_cast<double>(batch.target_tokens)}, {router_aux, 1}};
}

std::vector<Term> NextToken::operator()(Model& model, const Batch& batch, const Weights& total) {
  const ModelOutput out = model.forward(model_input(batch), nullptr);
  const auto [hidden, targets] = predictions(out.hidden, batch);
  const auto all = total.find("loss");
  const std::optional<double> gradient =
      all == total.end() || all->second == 0 ? std::nullopt : std::optional(1 / all->second);
  std::vector<Term> terms = {{"loss", model.cross_entropy(hidden, targets, gradient)}};
  if (const auto balance = router_balance(model.config(), out, batch)) terms.push_back(*balance);
  return terms;
}

}  // namespace lathe
