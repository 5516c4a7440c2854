// Compiled once for each instruction set, with LATHE_ISA as its name (see CMakeLists.txt of this
// module).
//
// Only headers without code go here: an inline function of a library that were compiled with wider
// instructions could be the copy the linker keeps for everybody.

#include "lathe/ops/cpu/kernels.h"

#include <cmath>
#include <cstring>

namespace lathe::ops::cpu {
namespace {

inline float load(const float* p) {
  return *p;
}
inline double load(const double* p) {
  return *p;
}
inline float load(const Bf16* p) {
  const uint32_t bits = static_cast<uint32_t>(p->bits) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline void put(float* p, float value) {
  *p = value;
}
inline void put(double* p, double value) {
  *p = value;
}
inline void put(Bf16* p, float value) {  // to nearest even; a NaN stays a NaN
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  p->bits = static_cast<uint16_t>((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : rounded);
}

inline double exponential(double x) {
  return std::exp(x);
}
/// exp(x) within 2 units in the last place, in a form that compilers vectorise: 2^n by the exponent
/// bits, 2^f by a polynomial (Cephes, Moshier 1989). Below -87 it is 0, above 88 it saturates.
inline float exponential(float x) {
  const float clamped = x < -87.0F ? -87.0F : (x > 88.0F ? 88.0F : x);
  const float n = std::floor(clamped * 1.44269504088896341F + 0.5F);
  const float r = (clamped - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  const float fraction = p * r * r + r + 1.0F;
  const uint32_t bits = static_cast<uint32_t>(static_cast<int32_t>(n) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  // A select, not a product: a NaN must come through.
  return x < -87.0F ? 0.0F : (x != x ? x : fraction * power);
}

inline double hyperbolic_tangent(double x) {
  return std::tanh(x);
}
/// tanh(x) within 3 units in the last place: an odd polynomial for small x (Cephes, Moshier 1989),
/// else 1 - 2 / (exp(2|x|) + 1) with the sign of x. A NaN comes through both.
inline float hyperbolic_tangent(float x) {
  const float z = x * x;
  float p = -5.70498872745e-3F;
  p = p * z + 2.06390887954e-2F;
  p = p * z - 5.37397155531e-2F;
  p = p * z + 1.33314422036e-1F;
  p = p * z - 3.33332819422e-1F;
  const float size = x < 0 ? -x : x;
  const float large = 1 - 2 / (exponential(2 * size) + 1);
  return size < 0.625F ? p * z * x + x : (x < 0 ? -large : large);
}

template <class T, class A>
A rms_norm(const T* x, const A* weight, T* y, int64_t n, A eps) {
  A sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) sum += load(x + i) * load(x + i);
  const A rrms = 1 / std::sqrt(sum / static_cast<A>(n) + eps);
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) put(y + i, load(x + i) * rrms * weight[i]);
  return rrms;
}

template <class T, class A>
void rms_norm_backward(const T* dy, const T* x, const A* weight, A rrms, T* dx, A* dweight,
                       int64_t n) {
  A sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) sum += load(dy + i) * weight[i] * load(x + i);
  const A pull = sum * rrms * rrms / static_cast<A>(n);
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    const A xi = load(x + i);
    const A dyi = load(dy + i);
    dweight[i] += dyi * xi * rrms;
    put(dx + i, rrms * (dyi * weight[i] - xi * pull));
  }
}

template <class T, class A>
void rotate(const T* x, const A* cos, const A* sin, T* y, int64_t half, A direction) {
#pragma omp simd
  for (int64_t i = 0; i < half; ++i) {
    const A a = load(x + i);
    const A b = load(x + half + i);
    const A s = direction * sin[i];
    put(y + i, a * cos[i] - b * s);
    put(y + half + i, b * cos[i] + a * s);
  }
}

template <class T, class A>
void swiglu(const T* gate, const T* up, T* y, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    const A g = load(gate + i);
    put(y + i, g / (1 + exponential(-g)) * load(up + i));
  }
}

template <class T, class A>
void swiglu_backward(const T* dy, const T* gate, const T* up, T* dgate, T* dup, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    const A g = load(gate + i);
    const A d = load(dy + i);
    const A sigmoid = 1 / (1 + exponential(-g));
    put(dup + i, d * g * sigmoid);
    put(dgate + i, d * load(up + i) * sigmoid * (1 + g * (1 - sigmoid)));
  }
}

template <class T, class A>
A maximum(const T* x, int64_t begin, int64_t end) {
  A best = load(x + begin);
#pragma omp simd reduction(max : best)
  for (int64_t i = begin; i < end; ++i) best = load(x + i) > best ? load(x + i) : best;
  return best;
}

/// How a raw score becomes what the softmax takes: as it is, times a factor, or squashed (Gemma 2,
/// arXiv:2408.00118). All grow with the score, so the largest one stays the largest.
template <class A>
struct Plain {
  A operator()(A x) const { return x; }
  A slope(A) const { return 1; }
};
template <class A>
struct Scaled {
  A scale;
  A operator()(A x) const { return scale * x; }
  A slope(A) const { return scale; }
};
template <class A>
struct Capped {
  A scale, cap;
  A operator()(A x) const { return cap * hyperbolic_tangent(scale * x / cap); }
  A slope(A x) const {
    const A t = hyperbolic_tangent(scale * x / cap);
    return scale * (1 - t * t);
  }
};

template <class T, class A, class Score>
A softmax_of(T* scores, int64_t n, int64_t begin, int64_t end, Score score) {
  const A shift = score(maximum<T, A>(scores, begin, end));
  A sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = begin; i < end; ++i) sum += exponential(score(load(scores + i)) - shift);
  const A log_sum = shift + std::log(sum);
  const A factor = 1 / sum;
#pragma omp simd
  for (int64_t i = begin; i < end; ++i)
    put(scores + i, exponential(score(load(scores + i)) - shift) * factor);
  for (int64_t i = 0; i < begin; ++i) put(scores + i, 0);
  for (int64_t i = end; i < n; ++i) put(scores + i, 0);
  return log_sum;
}

template <class T, class A>
A softmax(T* scores, int64_t n, int64_t begin, int64_t end, A scale, A cap) {
  if (cap > 0) return softmax_of<T, A>(scores, n, begin, end, Capped<A>{scale, cap});
  return softmax_of<T, A>(scores, n, begin, end, Scaled<A>{scale});
}

template <class T, class A, class Score>
void softmax_backward_of(T* scores, T* dprobs, int64_t n, int64_t begin, int64_t end, A log_sum,
                         A delta, Score score) {
#pragma omp simd
  for (int64_t i = begin; i < end; ++i) {
    const A x = load(scores + i);
    const A p = exponential(score(x) - log_sum);
    put(scores + i, p);
    put(dprobs + i, score.slope(x) * p * (load(dprobs + i) - delta));
  }
  for (int64_t i = 0; i < begin; ++i) {
    put(scores + i, 0);
    put(dprobs + i, 0);
  }
  for (int64_t i = end; i < n; ++i) {
    put(scores + i, 0);
    put(dprobs + i, 0);
  }
}

template <class T, class A>
void softmax_backward(T* scores, T* dprobs, int64_t n, int64_t begin, int64_t end, A scale, A cap,
                      A log_sum, A delta) {
  if (cap > 0)
    softmax_backward_of(scores, dprobs, n, begin, end, log_sum, delta, Capped<A>{scale, cap});
  else
    softmax_backward_of(scores, dprobs, n, begin, end, log_sum, delta, Scaled<A>{scale});
}

template <class T, class A, class Score>
A cross_entropy_of(T* logits, int64_t n, int64_t target, bool gradient, Score score) {
  const A shift = score(maximum<T, A>(logits, 0, n));
  const A raw = load(logits + target);
  A sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) sum += exponential(score(load(logits + i)) - shift);
  if (gradient) {
    const A factor = 1 / sum;
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) {
      const A x = load(logits + i);
      put(logits + i, exponential(score(x) - shift) * factor * score.slope(x));
    }
    // From the unrounded value, so that a confident prediction keeps its small gradient.
    put(logits + target, (exponential(score(raw) - shift) * factor - 1) * score.slope(raw));
  }
  return std::log(sum) + shift - score(raw);
}

template <class T, class A>
A cross_entropy(T* logits, int64_t n, int64_t target, A cap, bool gradient) {
  if (cap > 0) return cross_entropy_of<T, A>(logits, n, target, gradient, Capped<A>{1, cap});
  return cross_entropy_of<T, A>(logits, n, target, gradient, Plain<A>{});
}

template <class T, class A>
A dot(const T* a, const T* b, int64_t n) {
  A sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) sum += load(a + i) * load(b + i);
  return sum;
}

template <class T, class A>
void add_scaled(A* y, const T* x, A factor, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) y[i] += factor * load(x + i);
}

template <class T, class A>
void store(const A* x, T* y, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) put(y + i, x[i]);
}

template <class T, class A>
void attend(const T* query, const T* keys, const T* values, T* out, A* scratch, int64_t count,
            int64_t n, A scale, A cap) {
  A* const scores = scratch;
  A* const sums = scratch + count;
  A shift = -INFINITY;
  for (int64_t j = 0; j < count; ++j) {
    scores[j] = scale * dot<T, A>(query, keys + j * n, n);
    if (cap > 0) scores[j] = Capped<A>{1, cap}(scores[j]);
    shift = scores[j] > shift ? scores[j] : shift;
  }
  A sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < count; ++j) {
    scores[j] = exponential(scores[j] - shift);
    sum += scores[j];
  }
  for (int64_t i = 0; i < n; ++i) sums[i] = 0;
  for (int64_t j = 0; j < count; ++j) add_scaled<T, A>(sums, values + j * n, scores[j] / sum, n);
  store<T, A>(sums, out, n);
}

/// Eight codes, or the bits of eight numbers.
using Eight = uint32_t __attribute__((vector_size(32)));
using EightHalves = uint16_t __attribute__((vector_size(16)));

/// y[2 * i], y[2 * i + 1] = table[upper half of codes[i]], table[lower half], as far as
/// instructions reach that look up eight codes at once, which compilers do not find for a plain
/// loop. Returns how far that is.
inline int64_t look_up_eights([[maybe_unused]] const uint8_t* codes,
                              [[maybe_unused]] const uint32_t* table, [[maybe_unused]] auto* y,
                              [[maybe_unused]] int64_t n) {
  int64_t i = 0;
#if defined(__AVX2__) && !defined(__clang__)  // which cannot shuffle by a variable
  Eight low, high;
  std::memcpy(&low, table, sizeof low);
  std::memcpy(&high, table + 8, sizeof high);
  for (; i + 4 <= n; i += 4) {
    uint32_t four;
    std::memcpy(&four, codes + i, sizeof four);
    const Eight shifts = {4, 0, 12, 8, 20, 16, 28, 24};
    const Eight found = __builtin_shuffle(low, high, ((Eight{} + four) >> shifts) & 15);
    if constexpr (sizeof *y == 2) {
      const EightHalves narrow = __builtin_convertvector(found, EightHalves);
      std::memcpy(y + 2 * i, &narrow, sizeof narrow);
    } else {
      std::memcpy(y + 2 * i, &found, sizeof found);
    }
  }
#endif
  return i;
}

template <class T>
void look_up(const uint8_t* codes, const float* values, float scale, T* y, int64_t n) {
  T scaled[16];
  for (int i = 0; i < 16; ++i) {
    const float value = values[i] * scale;
    put(scaled + i, value);
  }
  int64_t i = 0;
  if constexpr (sizeof(T) <= 4) {
    uint32_t bits[16] = {};
    for (int j = 0; j < 16; ++j) std::memcpy(bits + j, scaled + j, sizeof(T));
    i = look_up_eights(codes, bits, y, n);
  }
  for (; i < n; ++i) {
    y[2 * i] = scaled[codes[i] >> 4];
    y[2 * i + 1] = scaled[codes[i] & 15];
  }
}

template <class T>
void adamw(T* weight, T* gradient, T* exp_avg, T* exp_avg_sq, int64_t n, const AdamwStep<T>& s) {
  const T keep = 1 - s.learning_rate * s.weight_decay;
  const T rate = s.learning_rate / s.bias_correction1;
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    const T g = gradient[i] * s.gradient_scale;
    gradient[i] = 0;
    const T m = exp_avg[i] + (1 - s.beta1) * (g - exp_avg[i]);
    const T v = s.beta2 * exp_avg_sq[i] + (1 - s.beta2) * g * g;
    exp_avg[i] = m;
    exp_avg_sq[i] = v;
    weight[i] = keep * weight[i] - rate * m / (std::sqrt(v) / s.bias_correction2_sqrt + s.eps);
  }
}

template <class T>
double sum_of_squares(const T* x, int64_t n) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return sum;
}

template <class T, class A = Accumulate<T>>
constexpr Kernels<T> kernels_of() {
  return {rms_norm<T, A>,
          rms_norm_backward<T, A>,
          rotate<T, A>,
          swiglu<T, A>,
          swiglu_backward<T, A>,
          softmax<T, A>,
          softmax_backward<T, A>,
          cross_entropy<T, A>,
          attend<T, A>,
          dot<T, A>,
          add_scaled<T, A>,
          store<T, A>,
          look_up<T>};
}

}  // namespace

#define LATHE_QUOTE(name) #name
#define LATHE_NAME(name) LATHE_QUOTE(name)
extern const KernelTable LATHE_ISA;
const KernelTable LATHE_ISA = {LATHE_NAME(LATHE_ISA),
                               kernels_of<double>(),
                               kernels_of<float>(),
                               kernels_of<Bf16>(),
                               {adamw<double>, sum_of_squares<double>},
                               {adamw<float>, sum_of_squares<float>}};

}  // namespace lathe::ops::cpu
