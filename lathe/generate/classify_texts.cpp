#include "lathe/generate/classify_texts.h"

namespace lathe {

Tensor classify_texts(Model& model, const Tokenizer& tokenizer,
                      std::span<const std::string> texts) {
  const at::NoGradGuard no_grad;
  const auto context = static_cast<size_t>(model.config().max_position_embeddings);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  std::vector<std::vector<int32_t>> rows = tokenizer.encode_batch(views);
  size_t longest = 0;
  for (std::vector<int32_t>& row : rows) {
    require(!row.empty(), "classifying: a text without any token");
    row.resize(std::min(row.size(), context));
    longest = std::max(longest, row.size());
  }
  const auto count = static_cast<int64_t>(rows.size());
  const Tensor ids = at::zeros({count, static_cast<int64_t>(longest)}, at::kLong);
  // Padding is a segment of its own.
  const Tensor segments = at::ones(ids.sizes(), at::kInt);
  std::vector<int64_t> ends;
  for (size_t i = 0; i < rows.size(); ++i) {
    std::ranges::copy(rows[i], ids.mutable_data_ptr<int64_t>() + i * longest);
    std::fill_n(segments.mutable_data_ptr<int32_t>() + i * longest, rows[i].size(), 0);
    ends.push_back(static_cast<int64_t>(i * longest + rows[i].size()) - 1);
  }
  const at::Device device = model.device();
  const Tensor hidden = model.hidden_states({ids.to(device), {}, segments.to(device)});
  const Tensor last =
      hidden.reshape({-1, hidden.size(2)}).index_select(0, at::tensor(ends, at::kLong).to(device));
  return model.class_logits(last).to(at::kCPU, at::kFloat);
}

}  // namespace lathe
