// Letters: B rows, T positions, H heads, G heads that share a key and value head, D elements a
// head, S positions of a cache.
#pragma once

#include "lathe/base/tensor.h"

namespace lathe::ops {

/// How the product of a query and a key becomes the score that the softmax takes.
struct Scoring {
  double scale;        ///< times this,
  double softcap = 0;  ///< then softcap * tanh(score / softcap), as in Gemma 2; 0: as it is
};

/// Causal attention within segments: position t sees the keys first[b, t] .. t of its row. Windows
/// are in `first` too. q (B, T, H, D); k, v (B, T, H/G, D); first (B, T) int64 on the CPU -> (B, T,
/// H, D).
///
/// Computed over blocks of queries, so that keys no query of a block may see cost nothing; the
/// backward pass recomputes the probabilities (Dao et al. 2022, arXiv:2205.14135).
Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& first,
                 Scoring scoring);

/// Attention of new positions over a cache, without gradient: query i of row b sees the cached
/// positions up to lengths[b] + i, the last `window` of them unless that is 0. q (B, T, H, D);
/// k, v (B, H/G, S, D) -> (B, T, H, D).
Tensor cached_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                        const std::vector<int64_t>& lengths, Scoring scoring, int64_t window = 0);

}  // namespace lathe::ops
