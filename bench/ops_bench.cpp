// The operations of a training step of SmolLM2-135M, 4 x 512 tokens, bfloat16, forward and
// backward.
#include <benchmark/benchmark.h>

#include "lathe/base/tensor.h"
#include "lathe/ops/adamw.h"
#include "lathe/ops/attention.h"
#include "lathe/ops/cross_entropy.h"
#include "lathe/ops/linear.h"
#include "lathe/ops/rms_norm.h"
#include "lathe/ops/rope.h"
#include "lathe/ops/swiglu.h"

namespace lathe {
namespace {

constexpr int64_t B = 4, T = 512, D = 576, F = 1536, H = 9, K = 3, E = 64, V = 49152;

/// Random activations in bfloat16 that take gradients.
Tensor activations(at::IntArrayRef shape) {
  return at::randn(shape, at::kBFloat16).requires_grad_();
}

/// Random weights in float32 that take gradients.
Tensor weights(at::IntArrayRef shape) {
  return (at::randn(shape) * 0.02).requires_grad_();
}

/// Times f() and its backward pass.
void both_ways(benchmark::State& state, const std::function<Tensor()>& f) {
  const Tensor gradient = at::randn_like(f());
  for (auto _ : state) f().backward(gradient);
}

void attention(benchmark::State& state) {
  const Tensor q = activations({B, T, H, E}), k = activations({B, T, K, E}),
               v = activations({B, T, K, E}), first = at::zeros({B, T}, at::kLong);
  both_ways(state, [&] { return ops::attention(q, k, v, first, {0.125}); });
}
BENCHMARK(attention)->Unit(benchmark::kMillisecond);

void attention_of_libtorch(benchmark::State& state) {
  const Tensor q = activations({B, H, T, E}), k = activations({B, K, T, E}),
               v = activations({B, K, T, E});
  both_ways(state, [&] {
    return at::scaled_dot_product_attention(q, k, v, std::nullopt, 0.0, true, 0.125, true);
  });
}
BENCHMARK(attention_of_libtorch)->Unit(benchmark::kMillisecond);

void linear_cross_entropy(benchmark::State& state) {
  const Tensor x = activations({B * T, D}), w = weights({V, D});
  const Tensor targets = at::randint(V, {B * T}, at::kLong);
  for (auto _ : state) ops::linear_cross_entropy(x, w, targets).backward();
}
BENCHMARK(linear_cross_entropy)->Unit(benchmark::kMillisecond);

void linear(benchmark::State& state) {
  const Tensor x = activations({B * T, D}), w = weights({F, D});
  both_ways(state, [&] { return ops::linear(x, w); });
}
BENCHMARK(linear)->Unit(benchmark::kMillisecond);

void linear_of_swiglu(benchmark::State& state) {
  const Tensor gate = activations({B * T, F}), up = activations({B * T, F}), w = weights({D, F});
  both_ways(state, [&] { return ops::linear(ops::swiglu(gate, up), w); });
}
BENCHMARK(linear_of_swiglu)->Unit(benchmark::kMillisecond);

void rms_norm(benchmark::State& state) {
  const Tensor x = activations({B * T, D}), w = weights({D});
  both_ways(state, [&] { return ops::rms_norm(x, w, 1e-5); });
}
BENCHMARK(rms_norm)->Unit(benchmark::kMillisecond);

void rope(benchmark::State& state) {
  const Tensor x = activations({B, T, H, E}), angle = at::randn({B, T, E / 2});
  const Tensor cos = angle.cos(), sin = angle.sin();
  both_ways(state, [&] { return ops::rope(x, cos, sin); });
}
BENCHMARK(rope)->Unit(benchmark::kMillisecond);

void adamw(benchmark::State& state) {
  const Tensor w = at::randn({10'000'000}), g = at::randn_like(w), m = at::zeros_like(w),
               v = at::zeros_like(w);
  int64_t step = 0;
  for (auto _ : state) ops::adamw({w}, {g}, {m}, {v}, {1e-4, 0.9, 0.999, 1e-8, 0.1, 1, ++step});
}
BENCHMARK(adamw)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lathe
