#pragma once

#include "lathe/base/tensor.h"

namespace lathe::ops {

/// silu(gate) * up (Shazeer 2020, arXiv:2002.05202), elementwise, in the dtype of gate.
Tensor swiglu(const Tensor& gate, const Tensor& up);

}  // namespace lathe::ops
