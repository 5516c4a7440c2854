// Fits a line to noisy points by gradient descent: the tensors, autograd and random streams that
// everything in Lathe is made of.
#include <cstdio>

#include "lathe/base/random.h"
#include "lathe/base/tensor.h"

int main() {
  lathe::Random random(lathe::stream_seed(1, "points"));
  lathe::Tensor x = at::empty({256}), noise = at::empty({256});
  for (int64_t i = 0; i < x.numel(); ++i) {
    x[i] = random.uniform();
    noise[i] = 0.01 * (random.uniform() - 0.5);
  }
  const lathe::Tensor y = 3 * x + 0.5 + noise;
  lathe::Tensor line = at::zeros({2}).requires_grad_();  // slope, intercept
  for (int step = 0; step < 500; ++step) {
    const lathe::Tensor loss = (line[0] * x + line[1] - y).square().mean();
    loss.backward();
    c10::NoGradGuard no_grad;
    line.sub_(line.grad(), 0.5);
    line.mutable_grad().zero_();
  }
  std::printf("slope %.2f intercept %.2f\n", line[0].item<double>(), line[1].item<double>());
}
