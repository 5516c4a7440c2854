// Data files with one JSON object a line (.jsonl, .ndjson), or one array of objects (.json).
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lathe/io/rows.h"

namespace lathe {

/// Reads line by line in bounded memory; empty lines, CR before LF and a byte order mark are
/// skipped. Throws Error that begins with file:line if a line is longer than `line_limit` bytes, is
/// not a JSON object in valid UTF-8, or lacks one of `columns` (then with the columns it has).
std::unique_ptr<Rows> open_jsonl(const std::filesystem::path& path,
                                 const std::vector<std::string>& columns = {},
                                 size_t line_limit = size_t{64} << 20);

/// Reads a file that is one JSON array of objects; it is held in memory, so larger ones than
/// `limit` bytes are an Error that asks for JSON lines. Rows count from 1 in messages.
std::unique_ptr<Rows> open_json_array(const std::filesystem::path& path,
                                      const std::vector<std::string>& columns = {},
                                      size_t limit = size_t{512} << 20);

}  // namespace lathe
