// Compares an operation's own backward pass with central finite differences, in float64.
#pragma once

#include <gtest/gtest.h>

#include "lathe/base/tensor.h"
#include "tests/support/device.h"

namespace lathe {

/// `f` maps the inputs to a tensor; every element of every input's gradient of sum(weights * f) is
/// compared with the finite difference. Use small inputs.
inline void gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& f,
                      std::vector<Tensor> inputs, double tolerance = 1e-7) {
  for (Tensor& input : inputs)
    input = on_test_device(input.detach().to(at::kDouble)).contiguous().requires_grad_();
  const Tensor out = f(inputs);
  const Tensor weights = at::randn_like(out);
  (out * weights).sum().backward();
  std::vector<Tensor> once;
  once.reserve(inputs.size());
  for (const Tensor& input : inputs) once.push_back(input.grad().clone());
  (f(inputs) * weights).sum().backward();  // a gradient that is there already is added to
  const at::NoGradGuard no_grad;
  const double step = 1e-6;
  for (size_t which = 0; which < inputs.size(); ++which) {
    ASSERT_TRUE(once[which].defined()) << "input " << which << " has no gradient";
    ASSERT_TRUE(at::allclose(inputs[which].grad(), 2 * once[which], 1e-12, 1e-14));
    const Tensor gradient = once[which].cpu().contiguous();
    for (int64_t i = 0; i < inputs[which].numel(); ++i) {
      const Tensor x = inputs[which].view(-1)[i];
      const Tensor kept = x.clone();
      x.copy_(kept + step);
      const double above = (f(inputs) * weights).sum().item<double>();
      x.copy_(kept - step);
      const double below = (f(inputs) * weights).sum().item<double>();
      x.copy_(kept);
      const double expected = (above - below) / (2 * step);
      ASSERT_NEAR(gradient.data_ptr<double>()[i], expected, tolerance * (1 + std::abs(expected)))
          << "input " << which << ", element " << i;
    }
  }
}

/// The largest difference over the largest value of the reference.
inline double relative_difference(const Tensor& found, const Tensor& reference) {
  const Tensor difference = (found.to(at::kDouble) - reference.to(at::kDouble)).abs().max();
  return (difference / reference.to(at::kDouble).abs().max().clamp_min(1e-30)).item<double>();
}

}  // namespace lathe
