#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace lathe {

/// What a run was for: each measure of its first validation beside that after `step`, by the lines
/// of its metrics.jsonl. Empty if there are no two such validations.
std::string before_and_after(const std::filesystem::path& metrics, int64_t step);

}  // namespace lathe
