#include "lathe/data/neftune.h"

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

std::unique_ptr<Source> with_neftune_noise(std::unique_ptr<Source> source, double alpha,
                                           int64_t hidden_size, uint64_t seed, int64_t rank) {
  return std::make_unique<RandomSource>(std::move(source), format("neftune {}", rank), seed,
                                        [alpha, hidden_size](Batch& batch, uint64_t of_batch) {
                                          batch.embedding_noise =
                                              neftune_noise(batch, alpha, hidden_size, of_batch);
                                        });
}

}  // namespace lathe
