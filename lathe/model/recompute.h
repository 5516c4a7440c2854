#pragma once

#include "lathe/base/tensor.h"

namespace lathe {

/// A function of one tensor with any number of results.
using Recomputable = std::function<std::vector<Tensor>(const Tensor&)>;

/// f(x), of which only x is kept for the backward pass: there f runs again (Chen et al. 2016,
/// arXiv:1604.06174). `f` must give the same results each time. Gradients of weights that `f` uses
/// are accumulated as usual, also where x itself needs none.
std::vector<Tensor> recompute(const Recomputable& f, const Tensor& x);

}  // namespace lathe
