// The layouts of quantised blocks and their kernels, for quant.cpp alone. Everything is in bytes,
// so that blocks may lie anywhere. d is the scale, m the minimum; numbers of 16 bits are half
// precision.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace lathe::quant {

static_assert(std::endian::native == std::endian::little, "blocks are little-endian in files");

constexpr int small_block = 32, large_block = 256;

using Half = uint8_t[2];

struct Q4_0 {
  Half d;
  uint8_t q[16];
};
struct Q4_1 {
  Half d, m;
  uint8_t q[16];
};
struct Q5_0 {
  Half d;
  uint8_t high[4], q[16];
};
struct Q5_1 {
  Half d, m;
  uint8_t high[4], q[16];
};
struct Q8_0 {
  Half d;
  int8_t q[32];
};
struct IQ4_NL {
  Half d;
  uint8_t q[16];
};
struct Q2_K {
  uint8_t scales[16], q[64];  // a scale: 4 bits for d, 4 bits for m
  Half d, m;
};
struct Q3_K {
  uint8_t high[32], q[64], scales[12];
  Half d;
};
struct Q4_K {
  Half d, m;
  uint8_t scales[12], q[128];
};
struct Q5_K {
  Half d, m;
  uint8_t scales[12], high[32], q[128];
};
struct Q6_K {
  uint8_t low[128], high[64];
  int8_t scales[16];
  Half d;
};

inline float from_bits(uint32_t bits) {
  return std::bit_cast<float>(bits);
}
inline uint32_t to_bits(float value) {
  return std::bit_cast<uint32_t>(value);
}

/// Half precision to single, exactly.
inline float from_half(uint32_t half) {
  const uint32_t sign = (half & 0x8000) << 16, rest = half & 0x7FFF;
  if (rest < 0x0400) return from_bits(sign | to_bits(static_cast<float>(rest) * 0x1p-24F));
  if (rest >= 0x7C00) return from_bits(sign | 0x7F800000 | rest << 13);
  return from_bits(sign | ((rest << 13) + (112U << 23)));
}
inline float from_half(const Half& half) {
  return from_half(static_cast<uint32_t>(half[0] | half[1] << 8));
}

/// Single precision to half, to nearest, ties to even; infinity if it is too large.
inline uint32_t to_half(float value) {
  const uint32_t sign = to_bits(value) >> 16 & 0x8000;
  uint32_t rest = to_bits(value) & 0x7FFFFFFF;
  if (rest > 0x7F800000) return sign | 0x7E00;
  if (rest >= 0x47800000) return sign | 0x7C00;
  // Below the smallest normal number: half's last place is that of numbers from 0.5 to 1.
  if (rest < 0x38800000) return sign | (to_bits(from_bits(rest) + 0.5F) - to_bits(0.5F));
  rest += 0xFFF + (rest >> 13 & 1);
  return sign | (rest - (112U << 23)) >> 13;
}
/// Stores it; false if it is too large.
inline bool store_half(float value, Half& half) {
  const uint32_t bits = to_half(value);
  half[0] = static_cast<uint8_t>(bits);
  half[1] = static_cast<uint8_t>(bits >> 8);
  return (bits & 0x7C00) != 0x7C00;
}

/// One of the 8 scales and minima of Q4_K and Q5_K, 6 bits each in 12 bytes.
struct ScaleMin {
  int scale, min;
};
inline ScaleMin get_scale_min(const uint8_t* s, int group) {
  if (group < 4) return {s[group] & 63, s[group + 4] & 63};
  return {(s[group + 4] & 15) | (s[group - 4] >> 6) << 4, s[group + 4] >> 4 | (s[group] >> 6) << 4};
}

inline void set_scale_min(uint8_t* s, int group, ScaleMin value) {
  if (group < 4) {
    s[group] = static_cast<uint8_t>((s[group] & 0xC0) | value.scale);
    s[group + 4] = static_cast<uint8_t>((s[group + 4] & 0xC0) | value.min);
  } else {
    s[group + 4] = static_cast<uint8_t>((value.scale & 15) | (value.min & 15) << 4);
    s[group - 4] = static_cast<uint8_t>((s[group - 4] & 63) | value.scale >> 4 << 6);
    s[group] = static_cast<uint8_t>((s[group] & 63) | value.min >> 4 << 6);
  }
}

// Each of these is for `count` blocks.
void decode_f16(const std::byte* blocks, size_t count, float* out);
void decode_bf16(const std::byte* blocks, size_t count, float* out);
void decode_f32(const std::byte* blocks, size_t count, float* out);
void decode_q4_0(const std::byte* blocks, size_t count, float* out);
void decode_q4_1(const std::byte* blocks, size_t count, float* out);
void decode_q5_0(const std::byte* blocks, size_t count, float* out);
void decode_q5_1(const std::byte* blocks, size_t count, float* out);
void decode_q8_0(const std::byte* blocks, size_t count, float* out);
void decode_iq4_nl(const std::byte* blocks, size_t count, float* out);
void decode_q2_k(const std::byte* blocks, size_t count, float* out);
void decode_q3_k(const std::byte* blocks, size_t count, float* out);
void decode_q4_k(const std::byte* blocks, size_t count, float* out);
void decode_q5_k(const std::byte* blocks, size_t count, float* out);
void decode_q6_k(const std::byte* blocks, size_t count, float* out);

bool encode_f32(const float* in, size_t count, std::byte* blocks);
bool encode_f16(const float* in, size_t count, std::byte* blocks);
bool encode_bf16(const float* in, size_t count, std::byte* blocks);
bool encode_q4_0(const float* in, size_t count, std::byte* blocks);
bool encode_q5_0(const float* in, size_t count, std::byte* blocks);
bool encode_q8_0(const float* in, size_t count, std::byte* blocks);
bool encode_q4_k(const float* in, size_t count, std::byte* blocks);
bool encode_q6_k(const float* in, size_t count, std::byte* blocks);

}  // namespace lathe::quant
