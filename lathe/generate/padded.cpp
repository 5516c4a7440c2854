#include "lathe/generate/padded.h"

#include <numeric>

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

PackedTexts packed(const std::vector<std::vector<int64_t>>& texts, Model& model) {
  int64_t width = 0;
  for (const std::vector<int64_t>& text : texts) {
    require(!text.empty(), "a text without any token");
    require_known_tokens(text, model);
    width = std::max(width, static_cast<int64_t>(text.size()));
  }
  PackedTexts all;
  int64_t end = 0;  // of what is placed, in all rows
  for (const std::vector<int64_t>& text : texts) {
    const auto length = static_cast<int64_t>(text.size());
    if (end % width + length > width) end += width - end % width;  // a new row
    end += length;
    all.ends.push_back(end - 1);
  }
  const int64_t rows = (end + width - 1) / width;
  const Tensor ids = at::zeros({rows, width}, at::kLong);
  const Tensor places = at::zeros({rows, width}, at::kLong);
  const Tensor segments = at::full({rows, width}, static_cast<int64_t>(texts.size()), at::kInt);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto length = static_cast<int64_t>(texts[i].size());
    const int64_t begin = all.ends[i] + 1 - length;
    std::ranges::copy(texts[i], ids.data_ptr<int64_t>() + begin);
    std::iota(places.data_ptr<int64_t>() + begin, places.data_ptr<int64_t>() + begin + length, 0);
    std::fill_n(segments.data_ptr<int32_t>() + begin, length, static_cast<int32_t>(i));
  }
  const at::Device device = model.device();
  all.input = {ids.to(device), places.to(device), segments.to(device)};
  return all;
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
