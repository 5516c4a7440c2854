#include "cli/dates.h"

#include <ctime>

#include "lathe/base/format.h"

namespace lathe {

std::chrono::local_seconds local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return std::chrono::local_seconds(std::chrono::seconds(now + local.tm_gmtoff));
}

std::string today() {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(local_time()));
  return format("{:04}-{:02}-{:02}", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

}  // namespace lathe
