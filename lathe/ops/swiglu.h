#pragma once

#include "lathe/base/tensor.h"

namespace lathe::ops {

/// silu(gate) * up (Shazeer 2020, arXiv:2002.05202), elementwise, in the dtype of gate. The
/// result, the largest of a layer, is made again in backward passes.
Tensor swiglu(const Tensor& gate, const Tensor& up);

}  // namespace lathe::ops
