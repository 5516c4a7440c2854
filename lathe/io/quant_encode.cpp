// Numbers to plain formats and small blocks, with the bits of ggml's gguf package.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "lathe/io/quant_blocks.h"

namespace lathe::quant {
namespace {

constexpr uint32_t infinity = 0x7F800000;

bool is_finite(float value) {
  return (to_bits(value) & infinity) != infinity;
}

/// 1 / d, by which the numbers of a block are multiplied; 0 where that is beyond float32.
float inverse_of(float d) {
  const float inverse = 1 / d;
  return d == 0 || !is_finite(inverse) ? 0 : inverse;
}

/// The scale of a block, and its numbers as levels of it from 0 to 2 * middle - 1.
float find_levels(const float* in, int middle, uint8_t* level) {
  float extreme = in[0];  // the first of the greatest magnitude; it becomes level 0
  for (int i = 1; i < small_block; ++i)
    if (std::fabs(in[i]) > std::fabs(extreme)) extreme = in[i];
  const float d = extreme / static_cast<float>(-middle), inverse = inverse_of(d);
  const float offset = static_cast<float>(middle) + 0.5F;
  for (int i = 0; i < small_block; ++i)
    level[i] =
        static_cast<uint8_t>(std::min(static_cast<int>(in[i] * inverse + offset), 2 * middle - 1));
  return d;
}

}  // namespace

bool encode_f32(const float* in, size_t count, std::byte* blocks) {
  if (count > 0) std::memcpy(blocks, in, count * sizeof(float));
  return true;
}

bool encode_f16(const float* in, size_t count, std::byte* blocks) {
  auto* out = reinterpret_cast<Half*>(blocks);
  bool fits = true;
  for (size_t i = 0; i < count; ++i) fits &= store_half(in[i], out[i]) || !is_finite(in[i]);
  return fits;
}

bool encode_bf16(const float* in, size_t count, std::byte* blocks) {
  auto* out = reinterpret_cast<Half*>(blocks);
  bool fits = true;
  for (size_t i = 0; i < count; ++i) {
    uint32_t bits = to_bits(in[i]);
    // To nearest, ties to even; a NaN stays one.
    const bool is_nan = (bits & 0x7FFFFFFF) > infinity;
    bits = is_nan ? bits | 0x00400000 : bits + 0x7FFF + (bits >> 16 & 1);
    out[i][0] = static_cast<uint8_t>(bits >> 16);
    out[i][1] = static_cast<uint8_t>(bits >> 24);
    fits &= (bits & infinity) != infinity || !is_finite(in[i]);
  }
  return fits;
}

bool encode_q4_0(const float* in, size_t count, std::byte* blocks) {
  auto* out = reinterpret_cast<Q4_0*>(blocks);
  bool fits = true;
  for (size_t block = 0; block < count; ++block, in += small_block) {
    uint8_t level[small_block];
    fits &= store_half(find_levels(in, 8, level), out[block].d);
    for (int i = 0; i < 16; ++i)
      out[block].q[i] = static_cast<uint8_t>(level[i] | level[i + 16] << 4);
  }
  return fits;
}

bool encode_q5_0(const float* in, size_t count, std::byte* blocks) {
  auto* out = reinterpret_cast<Q5_0*>(blocks);
  bool fits = true;
  for (size_t block = 0; block < count; ++block, in += small_block) {
    uint8_t level[small_block];
    fits &= store_half(find_levels(in, 16, level), out[block].d);
    std::memset(out[block].high, 0, sizeof out[block].high);
    for (int i = 0; i < 16; ++i)
      out[block].q[i] = static_cast<uint8_t>((level[i] & 15) | (level[i + 16] & 15) << 4);
    for (int i = 0; i < small_block; ++i)
      out[block].high[i / 8] |= static_cast<uint8_t>(level[i] >> 4 << i % 8);
  }
  return fits;
}

bool encode_q8_0(const float* in, size_t count, std::byte* blocks) {
  auto* out = reinterpret_cast<Q8_0*>(blocks);
  bool fits = true;
  for (size_t block = 0; block < count; ++block, in += small_block) {
    float largest = 0;
    for (int i = 0; i < small_block; ++i) largest = std::fmax(largest, std::fabs(in[i]));
    const float d = largest / 127, inverse = inverse_of(d);
    fits &= store_half(d, out[block].d);
    for (int i = 0; i < small_block; ++i)
      out[block].q[i] = static_cast<int8_t>(std::round(in[i] * inverse));
  }
  return fits;
}

}  // namespace lathe::quant
