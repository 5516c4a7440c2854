#include "lathe/io/quant.h"

#include <array>
#include <limits>

#include "lathe/base/error.h"
#include "lathe/io/quant_blocks.h"

namespace lathe {
namespace {

using namespace quant;

/// A format of plain numbers that are not computed with.
constexpr BlockFormat plain(std::string_view name, uint32_t id, uint32_t bytes, DType dtype) {
  return {name, id, 1, bytes, dtype};
}

/// A format of which only the size is known.
constexpr BlockFormat unread(std::string_view name, uint32_t id, uint32_t elements,
                             uint32_t bytes) {
  return {name, id, elements, bytes};
}

// Ids 4, 5, 31 to 33 and 36 to 38 are of formats that ggml gave up.
constexpr std::array formats = {
    BlockFormat{"F32", 0, 1, 4, DType::F32, decode_f32, encode_f32},
    BlockFormat{"F16", 1, 1, 2, DType::F16, decode_f16, encode_f16},
    BlockFormat{"Q4_0", 2, small_block, sizeof(Q4_0), {}, decode_q4_0, encode_q4_0},
    BlockFormat{"Q4_1", 3, small_block, sizeof(Q4_1), {}, decode_q4_1},
    BlockFormat{"Q5_0", 6, small_block, sizeof(Q5_0), {}, decode_q5_0, encode_q5_0},
    BlockFormat{"Q5_1", 7, small_block, sizeof(Q5_1), {}, decode_q5_1},
    BlockFormat{"Q8_0", 8, small_block, sizeof(Q8_0), {}, decode_q8_0, encode_q8_0},
    unread("Q8_1", 9, 32, 40),
    BlockFormat{"Q2_K", 10, large_block, sizeof(Q2_K), {}, decode_q2_k},
    BlockFormat{"Q3_K", 11, large_block, sizeof(Q3_K), {}, decode_q3_k},
    BlockFormat{"Q4_K", 12, large_block, sizeof(Q4_K), {}, decode_q4_k, encode_q4_k},
    BlockFormat{"Q5_K", 13, large_block, sizeof(Q5_K), {}, decode_q5_k},
    BlockFormat{"Q6_K", 14, large_block, sizeof(Q6_K), {}, decode_q6_k, encode_q6_k},
    unread("Q8_K", 15, 256, 292),
    unread("IQ2_XXS", 16, 256, 66),
    unread("IQ2_XS", 17, 256, 74),
    unread("IQ3_XXS", 18, 256, 98),
    unread("IQ1_S", 19, 256, 50),
    BlockFormat{"IQ4_NL", 20, small_block, sizeof(IQ4_NL), {}, decode_iq4_nl},
    unread("IQ3_S", 21, 256, 110),
    unread("IQ2_S", 22, 256, 82),
    unread("IQ4_XS", 23, 256, 136),
    plain("I8", 24, 1, DType::I8),
    plain("I16", 25, 2, DType::I16),
    plain("I32", 26, 4, DType::I32),
    plain("I64", 27, 8, DType::I64),
    plain("F64", 28, 8, DType::F64),
    unread("IQ1_M", 29, 256, 56),
    BlockFormat{"BF16", 30, 1, 2, DType::BF16, decode_bf16, encode_bf16},
    unread("TQ1_0", 34, 256, 54),
    unread("TQ2_0", 35, 256, 66),
    unread("MXFP4", 39, 32, 17),
    unread("NVFP4", 40, 64, 36),
    unread("Q1_0", 41, 128, 18),
};

/// The blocks in `bytes`, which must be as many as `elements` numbers take.
size_t count_blocks(const BlockFormat& format, size_t bytes, size_t elements) {
  const size_t count = bytes / format.bytes;
  if (bytes % format.bytes != 0 || elements % format.elements != 0 ||
      count != elements / format.elements)
    fail("{}: expected blocks of {} bytes for {} numbers each, found {} bytes for {} numbers",
         format.name, format.bytes, format.elements, bytes, elements);
  return count;
}

template <class Wanted>
std::string list_formats(Wanted wanted) {
  std::string names;
  for (const BlockFormat& format : formats)
    if (wanted(format)) names += (names.empty() ? "" : ", ") + std::string(format.name);
  return names;
}

}  // namespace

std::span<const BlockFormat> block_formats() {
  return formats;
}

const BlockFormat* find_block_format(uint32_t id) {
  for (const BlockFormat& format : formats)
    if (format.id == id) return &format;
  return nullptr;
}

const BlockFormat& block_format(std::string_view name) {
  for (const BlockFormat& format : formats)
    if (format.name == name) return format;
  fail("no number format \"{}\"; those that can be written: {}", name,
       list_formats([](const BlockFormat& format) { return format.encode != nullptr; }));
}

std::optional<uint64_t> block_bytes(const BlockFormat& format, std::span<const int64_t> shape) {
  // Every number as float32: what a reader allocates. Blocks take no more bytes than that, or 64
  // bits a number.
  const DType widest = format.dtype.value_or(DType::F32);
  const std::optional<uint64_t> as_numbers = tensor_bytes(widest, shape);
  if (!as_numbers) return std::nullopt;
  if (!shape.empty() && shape.back() % format.elements != 0) return std::nullopt;
  if (shape.empty() && format.elements != 1) return std::nullopt;
  const uint64_t elements = *as_numbers / static_cast<uint64_t>(dtype_bits(widest) / 8);
  return elements / format.elements * format.bytes;
}

void decode_blocks(const BlockFormat& format, std::span<const std::byte> blocks,
                   std::span<float> out) {
  if (format.decode == nullptr)
    fail("numbers of the format {} cannot be read; those that can: {}", format.name,
         list_formats([](const BlockFormat& f) { return f.decode != nullptr; }));
  format.decode(blocks.data(), count_blocks(format, blocks.size(), out.size()), out.data());
}

void encode_blocks(const BlockFormat& format, std::span<const float> in,
                   std::span<std::byte> blocks) {
  if (format.encode == nullptr)
    fail("numbers of the format {} cannot be written; those that can: {}", format.name,
         list_formats([](const BlockFormat& f) { return f.encode != nullptr; }));
  const size_t count = count_blocks(format, blocks.size(), in.size());
  unsigned not_finite = 0;
  for (const float value : in) not_finite |= (to_bits(value) & 0x7F800000) == 0x7F800000 ? 1 : 0;
  if (not_finite != 0 && !format.dtype)
    fail("there are numbers that are not finite (NaN or infinity), which {} cannot hold",
         format.name);
  if (!format.encode(in.data(), count, blocks.data()))
    fail("there are numbers too large for {}; choose BF16 or F32", format.name);
}

}  // namespace lathe
