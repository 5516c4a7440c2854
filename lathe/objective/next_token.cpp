#include "lathe/objective/next_token.h"

#include "lathe/objective/router_balance.h"

namespace lathe {

std::pair<Tensor, Tensor> predictions(const Tensor& hidden, const Tensor& labels) {
  // The position before a label predicts it; a row's first label has none.
  const int64_t length = labels.size(1);
  const Tensor next = labels.narrow(1, 1, length - 1);    // (B, T-1)
  const Tensor where = next.ne(ignored_label).nonzero();  // (N, 2)
  const Tensor row = where.select(1, 0);
  const Tensor position = where.select(1, 1);
  const Tensor flat = row * length + position;
  return {hidden.reshape({-1, hidden.size(2)}).index_select(0, flat), next.index({row, position})};
}

Weights NextToken::weights(const Batch& batch) const {
  Weights weights = {{router_aux, 1}};
  for (const RowGroup& group : row_groups(batch, "loss"))
    weights[group.term] =
        group.rows.empty()
            ? static_cast<double>(batch.target_tokens)
            : group.of(batch.labels).ne(ignored_label).sum().to(at::kDouble).item<double>();
  return weights;
}

std::vector<Term> NextToken::operator()(Model& model, const Batch& batch, const Weights& total) {
  const ModelInput input = model_input(batch);
  const ModelOutput out = model.forward(input, nullptr);
  std::vector<Term> terms;
  for (const RowGroup& group : row_groups(batch, "loss")) {
    const auto [hidden, targets] = predictions(group.of(out.hidden), group.of(batch.labels));
    const auto all = total.find(group.term);
    const std::optional<double> gradient =
        all == total.end() || all->second == 0 ? std::nullopt : std::optional(1 / all->second);
    terms.push_back({group.term, model.cross_entropy(hidden, targets, gradient, input.adapters)});
  }
  if (const auto balance = router_balance(model.config(), out, batch)) terms.push_back(*balance);
  return terms;
}

}  // namespace lathe
