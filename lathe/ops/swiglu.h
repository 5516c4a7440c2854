#pragma once

#include "lathe/base/tensor.h"

namespace lathe::ops {

/// silu(gate) * up (Shazeer 2020, arXiv:2002.05202), elementwise, in the dtype of gate.
Tensor swiglu(const Tensor& gate, const Tensor& up);

/// linear(swiglu(gate, up), weight, bias), of which the gated activations, the largest of a layer,
/// are not kept for the backward pass but computed again.
Tensor swiglu_linear(const Tensor& gate, const Tensor& up, const Tensor& weight,
                     const Tensor& bias = {});

}  // namespace lathe::ops
