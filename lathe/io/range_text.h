#pragma once

#include <limits>
#include <string>
#include <string_view>

#include "lathe/base/format.h"

namespace lathe {

/// "an integer from 1 to 8" for messages; bounds that are those of the type are left out.
template <class T>
std::string range_text(std::string_view what, T min, T max) {
  const bool below = min != std::numeric_limits<T>::lowest();
  const bool above = max != std::numeric_limits<T>::max();
  if (below && above) return format("{} from {} to {}", what, min, max);
  if (below) return format("{} >= {}", what, min);
  if (above) return format("{} <= {}", what, max);
  return std::string(what);
}

}  // namespace lathe
