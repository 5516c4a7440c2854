#include "lathe/generate/prompt_cache.h"

namespace lathe {

Tensor read_further(Model& model, const std::vector<int64_t>& prompt, int64_t slots,
                    PromptCache& kept) {
  const auto [differs, _] = std::ranges::mismatch(kept.tokens, prompt);
  const int64_t common = std::min(differs - kept.tokens.begin(),
                                  static_cast<int64_t>(prompt.size()) - 1);  // one must be read
  if (kept.cache.layers.empty() || kept.cache.slots() < slots) {
    KvCache larger =
        model.new_cache(1, std::min(2 * slots, model.config().max_position_embeddings));
    larger.begin_with(kept.cache, common);
    kept.cache = std::move(larger);
  }
  kept.cache.lengths = {common};
  kept.tokens.resize(static_cast<size_t>(common));  // what holds if reading fails
  const Tensor ids = at::tensor(at::ArrayRef(prompt).slice(static_cast<size_t>(common)));
  const Tensor hidden =
      model.hidden_states({ids.unsqueeze(0).to(model.device()), {}, {}}, &kept.cache);
  kept.tokens = prompt;
  return hidden.select(1, hidden.size(1) - 1);
}

}  // namespace lathe
