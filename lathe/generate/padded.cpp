#include "lathe/generate/padded.h"

namespace lathe {

void require_known_tokens(const std::vector<int64_t>& tokens, const Model& model) {
  const int64_t known = model.config().vocab_size;
  for (const int64_t id : tokens)
    require(id >= 0 && id < known,
            "the text has the token {}, the model knows those below {}: the tokenizer is that of "
            "another model",
            id, known);
}

ModelInput padded(const std::vector<std::vector<int64_t>>& rows, Model& model) {
  size_t longest = 0;
  std::vector<int64_t> counts;
  for (const std::vector<int64_t>& row : rows) {
    require_known_tokens(row, model);
    longest = std::max(longest, row.size());
    counts.push_back(static_cast<int64_t>(row.size()));
  }
  const Tensor ids =
      at::zeros({static_cast<int64_t>(rows.size()), static_cast<int64_t>(longest)}, at::kLong);
  for (size_t i = 0; i < rows.size(); ++i)
    std::ranges::copy(rows[i], ids.data_ptr<int64_t>() + i * longest);
  return {ids.to(model.device()), {}, {}, counts};
}

Tensor read_rows(Model& model, const std::vector<std::vector<int64_t>>& rows, KvCache& cache,
                 const std::vector<int64_t>& adapters) {
  ModelInput input = padded(rows, model);
  input.adapters.rows = adapters;
  const Tensor hidden = model.hidden_states(input, &cache);  // (B, T, D)
  std::vector<Tensor> last;
  for (size_t i = 0; i < rows.size(); ++i)
    last.push_back(hidden[static_cast<int64_t>(i)][input.counts[i] - 1]);
  return at::stack(last);
}

}  // namespace lathe
