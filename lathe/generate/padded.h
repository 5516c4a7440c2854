#pragma once

#include <vector>

#include "lathe/model/model.h"

namespace lathe {

/// Rows of tokens as one batch on `device`, padded at the end: (B, longest). What stands behind a
/// row is seen by nobody.
ModelInput padded(const std::vector<std::vector<int64_t>>& rows, at::Device device);

}  // namespace lathe
