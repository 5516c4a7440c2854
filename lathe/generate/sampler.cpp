#include "lathe/generate/sampler.h"

#include <numeric>

namespace lathe {
namespace {

/// CTRL (Keskar et al. 2019, arXiv:1909.05858), section 4.1; each token counts once.
void penalise(std::span<float> logits, std::span<const int64_t> context, float penalty) {
  std::vector<bool> seen(logits.size());
  for (const int64_t id : context) {
    const size_t i = static_cast<size_t>(id);
    if (seen[i]) continue;
    seen[i] = true;
    logits[i] = logits[i] > 0 ? logits[i] / penalty : logits[i] * penalty;
  }
}

}  // namespace

int64_t sample_token(std::span<float> logits, std::span<const int64_t> context,
                     const Sampling& sampling, Random& random) {
  if (const double penalty = sampling.repetition_penalty.value_or(1); penalty != 1)
    penalise(logits, context, static_cast<float>(penalty));
  const auto likeliest = std::max_element(logits.begin(), logits.end());
  const double temperature = sampling.temperature.value_or(1);
  if (temperature == 0) return likeliest - logits.begin();

  const double highest = *likeliest;
  std::vector<double> weight(logits.size());
  for (size_t i = 0; i < logits.size(); ++i)
    weight[i] = std::exp((static_cast<double>(logits[i]) - highest) / temperature);
  std::vector<size_t> kept(logits.size());
  std::iota(kept.begin(), kept.end(), size_t{0});
  // Equal weights keep the order of their ids, so that the result is the same everywhere.
  const auto heavier = [&](size_t a, size_t b) {
    return weight[a] != weight[b] ? weight[a] > weight[b] : a < b;
  };
  const auto top_k = static_cast<size_t>(sampling.top_k.value_or(0));
  if (top_k > 0 && top_k < kept.size()) {
    std::nth_element(kept.begin(), kept.begin() + static_cast<ptrdiff_t>(top_k), kept.end(),
                     heavier);
    kept.resize(top_k);
  }
  if (const double top_p = sampling.top_p.value_or(1); top_p < 1) {
    std::sort(kept.begin(), kept.end(), heavier);
    double all = 0;
    for (const size_t i : kept) all += weight[i];
    double sum = 0;
    size_t count = 0;
    while (count < kept.size() && sum < top_p * all) sum += weight[kept[count++]];
    kept.resize(count);
  }
  if (const double min_p = sampling.min_p.value_or(0); min_p > 0)
    std::erase_if(kept, [&](size_t i) { return weight[i] < min_p; });

  double all = 0;
  for (const size_t i : kept) all += weight[i];
  double left = random.uniform() * all;
  for (const size_t i : kept) {
    left -= weight[i];
    if (left < 0) return static_cast<int64_t>(i);
  }
  return static_cast<int64_t>(kept.back());  // rounding took the last bit
}

}  // namespace lathe
