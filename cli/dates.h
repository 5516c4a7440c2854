#pragma once

#include <chrono>
#include <string>

namespace lathe {

/// The time on the user's clock, for templates that tell it to the model.
std::chrono::local_seconds local_time();

/// The day of it: "2026-11-29".
std::string today();

}  // namespace lathe
