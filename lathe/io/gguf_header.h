// The header of a GGUF file: counts, metadata, and for each tensor what it is and where.
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lathe/io/gguf_metadata.h"
#include "lathe/io/quant.h"
#include "lathe/io/tensor_source.h"

namespace lathe {

/// Limits of a header; ggml has the same for names and dimensions.
constexpr uint64_t max_gguf_entries = 100'000, max_gguf_tensors = 1'000'000;
constexpr size_t max_gguf_key = 65'535, max_gguf_name = 63, max_gguf_rank = 4;
constexpr uint64_t default_gguf_alignment = 32, max_gguf_alignment = 1 << 20;

struct GgufHeader {
  uint32_t version;
  GgufMetadata metadata;
  /// Sorted by name. Shapes are row-major: the reverse of the file's. `dtype` and `bytes` are those
  /// of the numbers, F32 for quantised blocks; offsets count from `data_offset`.
  std::vector<TensorInfo> tensors;
  std::vector<const BlockFormat*> formats;  ///< of each of `tensors`, as stored
  uint64_t data_offset;                     ///< of the tensors, in the file
};

/// Parses and checks the header of a file of version 2 or 3, little-endian; what follows the header
/// must hold all tensors, in any order, each where the one before ends but for the alignment. Views
/// in the result are of `file`. Time and memory are linear in the header (but for sorting), and
/// nothing is allocated for what is not there. Throws Error that says what is wrong and where.
GgufHeader parse_gguf_header(std::span<const std::byte> file);

/// The next multiple of `alignment`, a power of two; nothing beyond 63 bits.
std::optional<uint64_t> gguf_pad(uint64_t offset, uint64_t alignment);

}  // namespace lathe
