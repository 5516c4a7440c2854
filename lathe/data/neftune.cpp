#include "lathe/data/neftune.h"

#include <nlohmann/json.hpp>

#include "lathe/base/random.h"
#include "lathe/io/json.h"

namespace lathe {
namespace {

/// How many tokens the text at each position has, (B, T) int64; of padding none.
Tensor text_lengths(const Batch& batch) {
  const Tensor segments = batch.segment_ids.to(at::kLong) + 1;  // padding is 0
  Tensor counts = at::zeros({batch.rows(), batch.length() + 1}, at::kLong);
  counts.scatter_add_(1, segments, at::ones_like(segments));
  counts.select(1, 0).zero_();
  return counts.gather(1, segments);
}

}  // namespace

Tensor neftune_noise(const Batch& batch, double alpha, int64_t hidden_size, uint64_t seed) {
  const Tensor elements = text_lengths(batch).to(at::kFloat) * static_cast<double>(hidden_size);
  const Tensor scale = alpha * elements.rsqrt().masked_fill(elements == 0, 0);  // (B, T)
  at::Generator generator = at::detail::createCPUGenerator(seed);
  Tensor noise = at::empty({batch.rows(), batch.length(), hidden_size}, at::kFloat);
  return noise.uniform_(-1, 1, generator).mul_(scale.unsqueeze(2));
}

NoisySource::NoisySource(std::unique_ptr<Source> inner, double alpha, int64_t hidden_size,
                         uint64_t seed, int64_t rank)
    : inner_(std::move(inner)),
      alpha_(alpha),
      hidden_size_(hidden_size),
      seed_(seed),
      stream_(format("neftune {}", rank)) {}

std::vector<Batch> NoisySource::next(int64_t micro_batches) {
  std::vector<Batch> batches = inner_->next(micro_batches);
  for (Batch& batch : batches)
    batch.embedding_noise =
        neftune_noise(batch, alpha_, hidden_size_, stream_seed(seed_, stream_, batches_++));
  return batches;
}

nlohmann::json NoisySource::state() const {
  return {{"noisy_batches", batches_}, {"inner", inner_->state()}};
}

void NoisySource::restore(const nlohmann::json& state) {
  inner_->restore(get_object(state, "inner"));
  batches_ = static_cast<uint64_t>(get_int(state, "noisy_batches", 0));
}

}  // namespace lathe
