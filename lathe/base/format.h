// The one place that includes fmt (from the torch wheel: GCC 12 has no <format>).
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lathe {

using fmt::format;

}  // namespace lathe
