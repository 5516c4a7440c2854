#include "lathe/generate/classify_texts.h"

#include "lathe/generate/padded.h"

namespace lathe {

Tensor classify_texts(Model& model, const Tokenizer& tokenizer,
                      std::span<const std::string> texts) {
  const at::NoGradGuard no_grad;
  const auto context = static_cast<size_t>(model.config().max_position_embeddings);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  std::vector<std::vector<int64_t>> rows;
  for (const std::vector<int32_t>& ids : tokenizer.encode_batch(views))
    rows.emplace_back(ids.begin(),
                      ids.begin() + static_cast<int64_t>(std::min(ids.size(), context)));
  const PackedTexts side_by_side = packed(rows, model);
  const Tensor hidden = model.hidden_states(side_by_side.input);  // (B, T, D)
  const Tensor ends = at::tensor(side_by_side.ends, at::kLong).to(hidden.device());
  const Tensor last = hidden.reshape({-1, hidden.size(2)}).index_select(0, ends);  // (N, D)
  return model.class_logits(last).to(at::kCPU, at::kFloat);
}

}  // namespace lathe
