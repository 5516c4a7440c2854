// Tensors of libtorch, and the standard headers most files use: the precompiled header
// of everything that touches tensors. Never include torch/torch.h: it costs 14 s a file.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lathe/base/error.h"

namespace lathe {

using at::Tensor;

}  // namespace lathe
