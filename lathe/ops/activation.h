#pragma once

#include "lathe/base/tensor.h"

namespace lathe::ops {

/// The nonlinearity of an MLP.
enum class Activation { silu, gelu, gelu_tanh, relu, relu2, quick_gelu };

/// The activation that Hugging Face's `hidden_act` names. Throws Error, with the names there are,
/// for any other.
Activation activation_named(std::string_view name);

/// The activation of each element of x (...), composed of libtorch's operations.
Tensor activate(const Tensor& x, Activation activation);

}  // namespace lathe::ops
