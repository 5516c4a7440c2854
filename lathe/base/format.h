// The one place that includes fmt (from the torch wheel: GCC 12 has no <format>).
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lathe {

using fmt::format;

/// "134.5 M", "1.10 GB": a number with three or four digits and its unit, in powers of a thousand.
std::string short_number(double value, const char* unit = "");

}  // namespace lathe
