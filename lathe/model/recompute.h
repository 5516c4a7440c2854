#pragma once

#include "lathe/base/tensor.h"

namespace lathe {

/// f(x), of which only x is kept for the backward pass: there f runs again (Chen et al. 2016,
/// arXiv:1604.06174). `f` must give the same result each time. Gradients of weights that `f` uses
/// are accumulated as usual, also where x itself needs none.
Tensor recompute(const std::function<Tensor(const Tensor&)>& f, const Tensor& x);

}  // namespace lathe
