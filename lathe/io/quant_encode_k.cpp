// Numbers to the large blocks of Q4_K and Q6_K, whose groups have scales of few bits. For each
// group several roundings are tried; each is improved by turns: the best scale for the levels
// (weighted least squares), then the best levels for the scale. When the scales themselves have
// been rounded, their neighbours are tried too. A number's weight grows with its size: where
// activations are of one size, that is where an error does harm.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "lathe/io/quant_blocks.h"

namespace lathe::quant {
namespace {

/// Sums in lanes, which compilers turn into vectors without reordering anything.
template <int n>
float sum(const float (&terms)[n]) {
  static_assert(n % 8 == 0);
  float lanes[8] = {};
  for (int i = 0; i < n; i += 8)
    for (int j = 0; j < 8; ++j) lanes[j] += terms[i + j];
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

/// The integer nearest to a number below 2^22 in magnitude, ties to even.
float nearest_integer(float value) {
  constexpr float shift = 0x1.8p23F;
  return (value + shift) - shift;
}

float clamp(float value, float low, float high) {
  return value < low ? low : value > high ? high : value;
}

/// A group's numbers with their weights.
template <int n>
struct Group {
  float x[n], w[n];

  explicit Group(const float* in) {
    float squares[n];
    for (int i = 0; i < n; ++i) squares[i] = in[i] * in[i];
    const float mean = std::sqrt(sum(squares) / n);
    for (int i = 0; i < n; ++i) {
      x[i] = in[i];
      w[i] = mean + std::fabs(in[i]);
    }
  }

  /// The levels from `low` to `high` that are nearest, where x is about scale * level - minimum.
  void levels(float scale, float minimum, float low, float high, float (&q)[n]) const {
    const float inverse = scale == 0 ? 0 : 1 / scale;
    for (int i = 0; i < n; ++i)
      q[i] = nearest_integer(clamp((x[i] + minimum) * inverse, low, high));
  }

  float error(float scale, float minimum, const float (&q)[n]) const {
    float terms[n];
    for (int i = 0; i < n; ++i) {
      const float difference = scale * q[i] - minimum - x[i];
      terms[i] = w[i] * difference * difference;
    }
    return sum(terms);
  }
};

/// Whether squares of the numbers stay far within float32; the format ends long before.
bool is_moderate(const float* in) {
  for (int i = 0; i < large_block; ++i)
    if (std::fabs(in[i]) > 1e9F) return false;
  return true;
}

struct Fit {
  float scale = 0, minimum = 0, error = std::numeric_limits<float>::infinity();
};

/// The least squares of x = scale * q - minimum with a minimum >= 0.
Fit fit_with_minimum(const Group<32>& g, const float (&q)[32]) {
  float w[32], wq[32], wqq[32], wx[32], wqx[32];
  for (int i = 0; i < 32; ++i) {
    w[i] = g.w[i];
    wq[i] = g.w[i] * q[i];
    wqq[i] = wq[i] * q[i];
    wx[i] = g.w[i] * g.x[i];
    wqx[i] = wq[i] * g.x[i];
  }
  const float sw = sum(w), sq = sum(wq), sqq = sum(wqq), sx = sum(wx), sqx = sum(wqx);
  Fit fit;
  const float determinant = sw * sqq - sq * sq;
  if (determinant > 0) {
    fit.scale = (sw * sqx - sx * sq) / determinant;
    fit.minimum = (sq * sqx - sqq * sx) / determinant;
  }
  if (!(fit.minimum > 0)) {
    fit.minimum = 0;
    fit.scale = sqq > 0 ? sqx / sqq : 0;
  }
  fit.error = g.error(fit.scale, fit.minimum, q);
  return fit;
}

/// The best scale and minimum for levels from 0 to 15, before they are rounded themselves.
Fit search_with_minimum(const Group<32>& g) {
  const auto [low, high] = std::minmax_element(g.x, g.x + 32);
  const float minimum = std::max(0.0F, -*low);
  const float range = *high + minimum;
  if (!(range > 0)) return {0, minimum, 0};
  Fit best;
  constexpr int candidates = 9, turns = 3;
  for (int candidate = 0; candidate < candidates; ++candidate) {
    const float top = 14 + 0.25F * static_cast<float>(candidate);
    Fit fit = {range / top, minimum};
    for (int turn = 0; turn < turns; ++turn) {
      float q[32];
      g.levels(fit.scale, fit.minimum, 0, 15, q);
      const Fit next = fit_with_minimum(g, q);
      if (!(next.scale > 0)) break;
      if (next.error < best.error) best = next;
      if (!(next.error < fit.error)) break;
      fit = next;
    }
  }
  return best;
}

/// Scales and minima that half precision and 6 bits can say, and the levels that fit them best.
bool encode_q4_k_block(const float* in, Q4_K& out) {
  Fit fits[8];
  float largest_scale = 0, largest_minimum = 0;
  for (int group = 0; group < 8; ++group) {
    fits[group] = search_with_minimum(Group<32>(in + group * 32));
    largest_scale = std::max(largest_scale, fits[group].scale);
    largest_minimum = std::max(largest_minimum, fits[group].minimum);
  }
  if (!store_half(largest_scale / 63, out.d) || !store_half(largest_minimum / 63, out.m))
    return false;
  const float d = from_half(out.d), m = from_half(out.m);
  const auto rounded = [](float value, float unit) {
    return unit > 0 ? static_cast<int>(nearest_integer(clamp(value / unit, 0, 63))) : 0;
  };
  std::memset(out.scales, 0, sizeof out.scales);
  std::memset(out.q, 0, sizeof out.q);
  for (int group = 0; group < 8; ++group) {
    const Group<32> g(in + group * 32);
    const int scale = rounded(fits[group].scale, d), minimum = rounded(fits[group].minimum, m);
    int best_scale = 0, best_minimum = 0;
    float best_q[32] = {}, best_error = std::numeric_limits<float>::infinity();
    for (int s = std::max(0, scale - 1); s <= std::min(63, scale + 1); ++s) {
      for (int n = std::max(0, minimum - 1); n <= std::min(63, minimum + 1); ++n) {
        float q[32];
        const float a = d * static_cast<float>(s), b = m * static_cast<float>(n);
        g.levels(a, b, 0, 15, q);
        const float error = g.error(a, b, q);
        if (!(error < best_error)) continue;
        best_error = error;
        best_scale = s;
        best_minimum = n;
        std::copy_n(q, 32, best_q);
      }
    }
    set_scale_min(out.scales, group, {best_scale, best_minimum});
    for (int i = 0; i < 32; ++i)
      out.q[group / 2 * 32 + i] |=
          static_cast<uint8_t>(static_cast<int>(best_q[i]) << group % 2 * 4);
  }
  return true;
}

/// The best scale for levels from -32 to 31, before it is rounded itself.
float search_scale(const Group<16>& g) {
  float extreme = 0;
  for (const float x : g.x)
    if (std::fabs(x) > std::fabs(extreme)) extreme = x;
  if (extreme == 0) return 0;
  float best_scale = 0, best_gain = -1;
  for (int candidate = -8; candidate <= 8; ++candidate) {
    // The extreme takes the end that has one level more.
    const float scale = extreme / -(32 + 0.125F * static_cast<float>(candidate));
    float q[16], wqq[16], wqx[16];
    g.levels(scale, 0, -32, 31, q);
    for (int i = 0; i < 16; ++i) {
      wqq[i] = g.w[i] * q[i] * q[i];
      wqx[i] = g.w[i] * q[i] * g.x[i];
    }
    const float qq = sum(wqq), qx = sum(wqx);
    if (!(qq > 0) || !(qx * qx / qq > best_gain)) continue;
    best_gain = qx * qx / qq;
    best_scale = qx / qq;
  }
  return best_scale;
}

bool encode_q6_k_block(const float* in, Q6_K& out) {
  float scales[16], extreme = 0;
  for (int group = 0; group < 16; ++group) {
    scales[group] = search_scale(Group<16>(in + group * 16));
    if (std::fabs(scales[group]) > std::fabs(extreme)) extreme = scales[group];
  }
  std::memset(out.low, 0, sizeof out.low);
  std::memset(out.high, 0, sizeof out.high);
  if (!store_half(extreme / -128, out.d)) return false;
  const float d = from_half(out.d);
  for (int group = 0; group < 16; ++group) {
    const Group<16> g(in + group * 16);
    const float wanted = d == 0 ? 0 : nearest_integer(clamp(scales[group] / d, -128, 127));
    float best_scale = 0, best_q[16] = {}, best_error = std::numeric_limits<float>::infinity();
    for (const float step : {-1, 0, 1}) {
      const float scale = clamp(wanted + step, -128, 127);
      float q[16];
      g.levels(d * scale, 0, -32, 31, q);
      const float error = g.error(d * scale, 0, q);
      if (!(error < best_error)) continue;
      best_error = error;
      best_scale = scale;
      std::copy_n(q, 16, best_q);
    }
    out.scales[group] = static_cast<int8_t>(best_scale);
    const int half = group / 8, in_half = group % 8;
    for (int i = 0; i < 16; ++i) {
      const int level = static_cast<int>(best_q[i]) + 32;
      out.low[half * 64 + in_half % 4 * 16 + i] |=
          static_cast<uint8_t>((level & 15) << in_half / 4 * 4);
      out.high[half * 32 + in_half % 2 * 16 + i] |=
          static_cast<uint8_t>(level >> 4 << in_half / 2 * 2);
    }
  }
  return true;
}

}  // namespace

bool encode_q4_k(const float* in, size_t count, std::byte* blocks) {
  auto* out = reinterpret_cast<Q4_K*>(blocks);
  bool fits = true;
  for (size_t i = 0; i < count; ++i) {
    const float* x = in + i * large_block;
    fits &= is_moderate(x) && encode_q4_k_block(x, out[i]);
  }
  return fits;
}

bool encode_q6_k(const float* in, size_t count, std::byte* blocks) {
  auto* out = reinterpret_cast<Q6_K*>(blocks);
  bool fits = true;
  for (size_t i = 0; i < count; ++i) {
    const float* x = in + i * large_block;
    fits &= is_moderate(x) && encode_q6_k_block(x, out[i]);
  }
  return fits;
}

}  // namespace lathe::quant
