// Blocks to numbers. Products and sums are rounded one by one (this file is compiled without their
// contraction), in the order of ggml's gguf package: results are then equal to the last bit.
#include <cstring>

#include "lathe/io/quant_blocks.h"

namespace lathe::quant {
namespace {

/// Calls f(block, its numbers) for each block.
template <class Block, int elements>
void for_each_block(const std::byte* blocks, size_t count, float* out, auto&& f) {
  static_assert(alignof(Block) == 1);
  const auto* block = reinterpret_cast<const Block*>(blocks);
  for (size_t i = 0; i < count; ++i) f(block[i], out + i * elements);
}

float number(int value) {
  return static_cast<float>(value);
}

/// The fifth bits of a block's 32 numbers, as 0 or 16.
void unpack_fifth(const uint8_t* high, uint8_t* fifth) {
  for (int i = 0; i < small_block; ++i)
    fifth[i] = static_cast<uint8_t>((high[i / 8] >> i % 8 & 1) << 4);
}

/// The 16 scales of Q3_K, 6 bits each, without their offset of 32: low halves of the first 8 in the
/// lower halves of 8 bytes, of the others in the upper halves; then 2 bits of each, 4 a byte.
int scale_q3(const uint8_t* s, int group) {
  const int low = group < 8 ? s[group] & 15 : s[group - 8] >> 4;
  return low | (s[8 + group % 4] >> 2 * (group / 4) & 3) << 4;
}

constexpr int8_t iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                   1,    13,   25,  38,  53,  69,  89,  113};

}  // namespace

void decode_f32(const std::byte* blocks, size_t count, float* out) {
  if (count > 0) std::memcpy(out, blocks, count * sizeof(float));
}

void decode_f16(const std::byte* blocks, size_t count, float* out) {
  for_each_block<Half, 1>(blocks, count, out, [](const Half& b, float* y) { *y = from_half(b); });
}

void decode_bf16(const std::byte* blocks, size_t count, float* out) {
  for_each_block<Half, 1>(blocks, count, out, [](const Half& b, float* y) {
    *y = from_bits(static_cast<uint32_t>(b[0] | b[1] << 8) << 16);
  });
}

void decode_q4_0(const std::byte* blocks, size_t count, float* out) {
  for_each_block<Q4_0, small_block>(blocks, count, out, [](const Q4_0& b, float* y) {
    const float d = from_half(b.d);
    for (int i = 0; i < 16; ++i) {
      y[i] = d * number((b.q[i] & 15) - 8);
      y[i + 16] = d * number((b.q[i] >> 4) - 8);
    }
  });
}

void decode_q4_1(const std::byte* blocks, size_t count, float* out) {
  for_each_block<Q4_1, small_block>(blocks, count, out, [](const Q4_1& b, float* y) {
    const float d = from_half(b.d), m = from_half(b.m);
    for (int i = 0; i < 16; ++i) {
      y[i] = d * number(b.q[i] & 15) + m;
      y[i + 16] = d * number(b.q[i] >> 4) + m;
    }
  });
}

void decode_q5_0(const std::byte* blocks, size_t count, float* out) {
  for_each_block<Q5_0, small_block>(blocks, count, out, [](const Q5_0& b, float* y) {
    const float d = from_half(b.d);
    uint8_t fifth[small_block];
    unpack_fifth(b.high, fifth);
    for (int i = 0; i < 16; ++i) {
      y[i] = d * number(((b.q[i] & 15) | fifth[i]) - 16);
      y[i + 16] = d * number(((b.q[i] >> 4) | fifth[i + 16]) - 16);
    }
  });
}

void decode_q5_1(const std::byte* blocks, size_t count, float* out) {
  for_each_block<Q5_1, small_block>(blocks, count, out, [](const Q5_1& b, float* y) {
    const float d = from_half(b.d), m = from_half(b.m);
    uint8_t fifth[small_block];
    unpack_fifth(b.high, fifth);
    for (int i = 0; i < 16; ++i) {
      y[i] = d * number((b.q[i] & 15) | fifth[i]) + m;
      y[i + 16] = d * number((b.q[i] >> 4) | fifth[i + 16]) + m;
    }
  });
}

void decode_q8_0(const std::byte* blocks, size_t count, float* out) {
  for_each_block<Q8_0, small_block>(blocks, count, out, [](const Q8_0& b, float* y) {
    const float d = from_half(b.d);
    for (int i = 0; i < small_block; ++i) y[i] = number(b.q[i]) * d;
  });
}

void decode_iq4_nl(const std::byte* blocks, size_t count, float* out) {
  for_each_block<IQ4_NL, small_block>(blocks, count, out, [](const IQ4_NL& b, float* y) {
    const float d = from_half(b.d);
    for (int i = 0; i < 16; ++i) {
      y[i] = d * number(iq4_values[b.q[i] & 15]);
      y[i + 16] = d * number(iq4_values[b.q[i] >> 4]);
    }
  });
}

// In the large blocks, a run of 32 bytes holds 32 numbers in each of its bit planes.

void decode_q2_k(const std::byte* blocks, size_t count, float* out) {
  for_each_block<Q2_K, large_block>(blocks, count, out, [](const Q2_K& b, float* y) {
    const float d = from_half(b.d), m = from_half(b.m);
    for (int group = 0; group < 16; ++group) {
      const float scale = d * number(b.scales[group] & 15);
      const float minimum = m * number(b.scales[group] >> 4);
      const uint8_t* q = b.q + group / 8 * 32 + group % 2 * 16;
      const int shift = group % 8 / 2 * 2;
      for (int i = 0; i < 16; ++i) y[group * 16 + i] = scale * number(q[i] >> shift & 3) - minimum;
    }
  });
}

void decode_q3_k(const std::byte* blocks, size_t count, float* out) {
  for_each_block<Q3_K, large_block>(blocks, count, out, [](const Q3_K& b, float* y) {
    const float d = from_half(b.d);
    for (int group = 0; group < 16; ++group) {
      const float scale = d * number(scale_q3(b.scales, group) - 32);
      const uint8_t* q = b.q + group / 8 * 32 + group % 2 * 16;
      const uint8_t* high = b.high + group % 2 * 16;
      const int shift = group % 8 / 2 * 2, bit = group / 2;
      for (int i = 0; i < 16; ++i) {
        const int below = 4 - (high[i] >> bit & 1) * 4;  // a set bit means nothing is taken away
        y[group * 16 + i] = scale * number((q[i] >> shift & 3) - below);
      }
    }
  });
}

void decode_q4_k(const std::byte* blocks, size_t count, float* out) {
  for_each_block<Q4_K, large_block>(blocks, count, out, [](const Q4_K& b, float* y) {
    const float d = from_half(b.d), m = from_half(b.m);
    for (int group = 0; group < 8; ++group) {
      const ScaleMin s = get_scale_min(b.scales, group);
      const float scale = d * number(s.scale), minimum = m * number(s.min);
      const uint8_t* q = b.q + group / 2 * 32;
      const int shift = group % 2 * 4;
      for (int i = 0; i < 32; ++i) y[group * 32 + i] = scale * number(q[i] >> shift & 15) - minimum;
    }
  });
}

void decode_q5_k(const std::byte* blocks, size_t count, float* out) {
  for_each_block<Q5_K, large_block>(blocks, count, out, [](const Q5_K& b, float* y) {
    const float d = from_half(b.d), m = from_half(b.m);
    for (int group = 0; group < 8; ++group) {
      const ScaleMin s = get_scale_min(b.scales, group);
      const float scale = d * number(s.scale), minimum = m * number(s.min);
      const uint8_t* q = b.q + group / 2 * 32;
      const int shift = group % 2 * 4;
      for (int i = 0; i < 32; ++i) {
        const int value = (q[i] >> shift & 15) | (b.high[i] >> group & 1) << 4;
        y[group * 32 + i] = scale * number(value) - minimum;
      }
    }
  });
}

void decode_q6_k(const std::byte* blocks, size_t count, float* out) {
  for_each_block<Q6_K, large_block>(blocks, count, out, [](const Q6_K& b, float* y) {
    const float d = from_half(b.d);
    for (int group = 0; group < 16; ++group) {
      const float scale = d * number(b.scales[group]);
      const int half = group / 8, in_half = group % 8;
      const uint8_t* low = b.low + half * 64 + in_half % 4 * 16;
      const uint8_t* high = b.high + half * 32 + in_half % 2 * 16;
      const int low_shift = in_half / 4 * 4, high_shift = in_half / 2 * 2;
      for (int i = 0; i < 16; ++i) {
        const int value = (low[i] >> low_shift & 15) | (high[i] >> high_shift & 3) << 4;
        y[group * 16 + i] = scale * number(value - 32);
      }
    }
  });
}

}  // namespace lathe::quant
