// The number formats of ggml, which GGUF files store: plain numbers, and blocks of quantised ones
// that share scales. Layouts: https://github.com/ggml-org/ggml, src/ggml-common.h
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "lathe/io/dtype.h"

namespace lathe {

/// A number format. Rows of a tensor are whole blocks; formats of plain numbers have blocks of one.
struct BlockFormat {
  std::string_view name;  ///< as ggml has it, such as "Q4_K"
  uint32_t id;            ///< ggml's number for it, as in files
  uint32_t elements;      ///< numbers in a block
  uint32_t bytes;         ///< of a block
  /// The dtype whose tensors have the same bytes; none for quantised blocks.
  std::optional<DType> dtype = {};
  /// `count` blocks to numbers. Null where Lathe cannot read the format.
  void (*decode)(const std::byte* blocks, size_t count, float* out) = nullptr;
  /// Numbers to `count` blocks; false if one is too large for the format. Null where Lathe cannot
  /// write it.
  bool (*encode)(const float* in, size_t count, std::byte* blocks) = nullptr;
};

/// All formats of ggml, by id; those without `decode` and `dtype` can be listed and copied only.
std::span<const BlockFormat> block_formats();

/// The format with that id of ggml, or nullptr.
const BlockFormat* find_block_format(uint32_t id);

/// The format with that name. Throws Error that lists those that can be written if it is not known.
const BlockFormat& block_format(std::string_view name);

/// The bytes of a tensor of that format, of any rank. Nothing if a dimension is negative, if the
/// last is not whole blocks, or if the elements or bytes are beyond 63 bits (as float32, too).
std::optional<uint64_t> block_bytes(const BlockFormat& format, std::span<const int64_t> shape);

/// Blocks to float32, equal to the last bit to the arithmetic of the gguf package of ggml. Throws
/// Error if the format cannot be decoded or the sizes do not fit each other.
void decode_blocks(const BlockFormat& format, std::span<const std::byte> blocks,
                   std::span<float> out);

/// float32 to blocks: whole ones. F16, BF16, Q8_0, Q5_0 and Q4_0 have the bits of the gguf package;
/// Q4_K and Q6_K come from a search of our own for the scales. Throws Error for numbers that are
/// not finite or too large for the format, and for formats that cannot be written.
void encode_blocks(const BlockFormat& format, std::span<const float> in,
                   std::span<std::byte> blocks);

}  // namespace lathe
