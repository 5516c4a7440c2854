// Parquet files, read row by row.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lathe/io/rows.h"

namespace lathe {

/// Reads the named top-level columns of a Parquet file (empty: all) in bounded memory. Structs
/// become JSON objects, lists arrays, maps objects; decimals, dates and times text; NaN and
/// infinities null. Not compressed, or with Snappy, Zstandard, gzip or LZ4. Throws Error if a
/// column is missing (with those found), the file is malformed, or bytes are not UTF-8.
std::unique_ptr<Rows> open_parquet(const std::filesystem::path& path,
                                   const std::vector<std::string>& columns);

}  // namespace lathe
