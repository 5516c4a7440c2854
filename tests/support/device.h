// The device that tests of operations and models run on: LATHE_TEST_DEVICE=cuda runs them on a GPU.
#pragma once

#include <cstdlib>

#include "lathe/base/tensor.h"

namespace lathe {

inline at::Device test_device() {
  const char* name = std::getenv("LATHE_TEST_DEVICE");
  return at::Device(name != nullptr ? name : "cpu");
}

/// How much further results in float64 may be from those of the CPU: rotary angles are computed in
/// float32, whose cosine differs in the last bit.
inline double device_slack() {
  return test_device().is_cpu() ? 1 : 300;
}

inline Tensor on_test_device(const Tensor& x) {
  return x.to(test_device());
}

}  // namespace lathe
