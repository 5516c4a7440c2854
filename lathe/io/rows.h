// Rows of a data file, one after the other, whatever the file's format.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace lathe {

/// A data file being read front to back in bounded memory.
class Rows {
 public:
  virtual ~Rows() = default;
  /// The next row, a JSON object with its columns in their order; nothing at the end. Callers
  /// include nlohmann/json.hpp. Throws Error naming file and row when the row is damaged.
  virtual std::optional<nlohmann::ordered_json> next() = 0;
};

/// Whether the file's name says that it has rows: .jsonl, .ndjson, .json or .parquet, in letters of
/// either case.
bool is_table(const std::filesystem::path& path);

/// Opens the file by its extension: .jsonl, .ndjson and .json with one object a line, .parquet.
/// Each row has all of `columns` (a .parquet file reads only those; empty: all). Throws Error if
/// the content is of another kind than the extension says.
std::unique_ptr<Rows> open_rows(const std::filesystem::path& path,
                                const std::vector<std::string>& columns = {});

}  // namespace lathe
