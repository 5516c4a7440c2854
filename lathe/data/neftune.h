// NEFTune: noise on the embeddings while a model learns from instructions (Jain et al. 2023,
// arXiv:2310.05914). Letters: B rows, T positions, D hidden size.
#pragma once

#include "lathe/data/random_source.h"

namespace lathe {

/// Noise for the embeddings of a batch, (B, T, D) float32 on the CPU: uniform in (-1, 1) times
/// alpha / sqrt(L * D), L being the tokens of the text at a position; none on padding.
Tensor neftune_noise(const Batch& batch, double alpha, int64_t hidden_size, uint64_t seed);

/// The batches of another source with such noise.
std::unique_ptr<Source> with_neftune_noise(std::unique_ptr<Source> source, double alpha,
                                           int64_t hidden_size, uint64_t seed, int64_t rank = 0);

}  // namespace lathe
