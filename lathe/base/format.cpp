// The one compiled copy of fmt. Compiled into every file that formats, as its header-only mode has
// it, fmt would be the larger part of the build.
#include "lathe/base/format.h"

#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE

template auto detail::dragonbox::to_decimal(float) noexcept -> detail::dragonbox::decimal_fp<float>;
template auto detail::dragonbox::to_decimal(double) noexcept
    -> detail::dragonbox::decimal_fp<double>;
template auto detail::thousands_sep_impl<char>(locale_ref) -> thousands_sep_result<char>;
template auto detail::decimal_point_impl<char>(locale_ref) -> char;
template void detail::buffer<char>::append(const char*, const char*);

FMT_END_NAMESPACE

namespace lathe {

std::string short_number(double value, const char* unit) {
  constexpr const char* thousands[] = {"", "k", "M", "G", "T"};
  size_t power = 0;
  for (; value >= 999.5 && power + 1 < std::size(thousands); ++power) value /= 1000;
  const int decimals = power == 0 ? 0 : value >= 9.995 ? 1 : 2;
  const std::string suffix = format("{}{}", thousands[power], unit);
  return format("{:.{}f}{}{}", value, decimals, suffix.empty() ? "" : " ", suffix);
}

}  // namespace lathe
