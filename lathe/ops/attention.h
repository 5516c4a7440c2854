// Letters: B rows, T positions, H heads, G heads that share a key and value head, D elements a
// head, S positions of a cache.
#pragma once

#include "lathe/base/tensor.h"

namespace lathe::ops {

/// Causal attention within segments: position t sees the keys first[b, t] .. t of its row.
/// q (B, T, H, D); k, v (B, T, H/G, D); first (B, T) int64 on the CPU -> (B, T, H, D).
///
/// Computed over blocks of queries, so that keys no query of a block may see cost nothing; the
/// backward pass recomputes the probabilities (Dao et al. 2022, arXiv:2205.14135).
Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& first,
                 double scale);

/// Attention of new positions over a cache, without gradient: query i of row b sees the cached
/// positions 0 .. lengths[b] + i. q (B, T, H, D); k, v (B, H/G, S, D) -> (B, T, H, D).
Tensor cached_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                        const std::vector<int64_t>& lengths, double scale);

}  // namespace lathe::ops
