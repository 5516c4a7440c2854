#include "cli/describe_run.h"

#include <map>

namespace lathe {
namespace {

/// How many documents each of the adapters learns, if rows choose between them.
std::string shares_of(const Dataset& data) {
  if (data.adapters.empty()) return {};
  std::map<std::string, uint64_t> documents;
  for (const Pool& pool : data.train) {  // each has those of one
    const DocumentRef any = pool.documents[0];
    documents[any.cache->adapters()[any.document]] += pool.documents.size();
  }
  std::vector<std::string> shares;
  shares.reserve(documents.size());
  for (const auto& [name, count] : documents) shares.push_back(format("{} of {}", count, name));
  return format(" ({})", fmt::join(shares, ", "));
}

/// Texts that stay whole have no more tokens than a row.
std::string tokens_to_train_on(const Dataset& data, int64_t max_length) {
  const auto most = static_cast<uint64_t>(max_length);
  uint64_t tokens = 0, cut = 0;
  for (const Pool& pool : data.train)
    for (uint64_t i = 0; i < pool.documents.size(); ++i) {
      const DocumentRef document = pool.documents[i];
      const uint64_t all = document.record().tokens;
      const bool is_cut = document.cache->keeps_whole() && all > most;
      tokens += is_cut ? most : all;
      cut += is_cut ? 1 : 0;
    }
  const std::string said = format("{} tokens to train on", tokens);
  return cut == 0 ? said : format("{} ({} texts are longer than max_length, and cut)", said, cut);
}

}  // namespace

std::string describe_run(const Recipe& recipe, Model& model, const TrainedWeights& trained,
                         const Dataset& data) {
  double numbers = 0;
  for (const NamedTensor& weight : trained.weights)
    numbers += static_cast<double>(weight.tensor->numel());
  const auto all = static_cast<double>(model.parameter_count());
  return format(
      "model: {}, {:.2f} M parameters in {:.1f} MB, {}\ntrained: {:.0f} parameters, {:.3g} % of "
      "the "
      "model\ndata: {}{}; {}, {} documents to "
      "validate on\nsteps: {} of {} x {} tokens",
      model.config().model_type, all / 1e6, static_cast<double>(model.weight_bytes()) / 1e6,
      recipe.train.bf16 ? "bfloat16" : "float32", numbers, 100 * numbers / all,
      data.train_report.summary(), shares_of(data),
      tokens_to_train_on(data, recipe.data.max_length), data.validation.size(),
      recipe.train.max_steps,
      recipe.data.per_device_train_batch_size * recipe.train.gradient_accumulation_steps,
      recipe.data.max_length);
}

}  // namespace lathe
