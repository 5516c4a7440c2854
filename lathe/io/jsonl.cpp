#include "lathe/io/jsonl.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lathe/base/error.h"
#include "lathe/base/file.h"
#include "lathe/io/file_kind.h"
#include "lathe/io/json.h"
#include "lathe/io/line_reader.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

using Row = nlohmann::ordered_json;

std::string column_list(const Row& row) {
  constexpr size_t most = 20;
  std::vector<std::string> names;
  for (const auto& [name, value] : row.items()) {
    if (names.size() == most) break;
    names.push_back(show_text(name));
  }
  if (names.empty()) return "no columns";
  return format("{}{}", fmt::join(names, ", "), row.size() > most ? ", ..." : "");
}

void check_row(const Row& row, const std::vector<std::string>& columns) {
  if (!row.is_object()) fail("expected a JSON object, found {}", show_json(row));
  for (const std::string& column : columns)
    if (!row.contains(column))
      fail("expected the column {}, found {}", show_text(column), column_list(row));
}

class JsonLines final : public Rows {
 public:
  JsonLines(const fs::path& path, std::vector<std::string> columns, size_t line_limit)
      : reader_(path, line_limit), columns_(std::move(columns)) {}

  std::optional<Row> next() override {
    while (const auto line = reader_.next()) {
      if (line->find_first_not_of(" \t") == line->npos) continue;
      return parse(*line);
    }
    return std::nullopt;
  }

 private:
  Row parse(std::string_view line) const {
    const Context doing("reading {}", reader_.place());
    if (reader_.line() == 1)
      if (const std::string_view kind = file_kind(line); !kind.empty())
        fail("expected JSON lines, but it looks like {}", kind);
    if (const size_t bad = find_invalid_utf8(line); bad != line.size())
      fail("invalid UTF-8 at byte {} of the line: save the file as UTF-8", bad + 1);
    Row row = parse_line(line);
    check_row(row, columns_);
    return row;
  }

  Row parse_line(std::string_view line) const {
    try {
      return parse_ordered_json(line);
    } catch (const Error&) {
      // Pretty-printed JSON fails on its first line, with a message that would not help.
      const size_t first = line.find_first_not_of(" \t");
      const size_t last = line.find_last_not_of(" \t");
      if (reader_.line() == 1 && first == last && (line[first] == '{' || line[first] == '['))
        fail("expected one whole JSON object a line, found one that goes on in the next line");
      throw;
    }
  }

  LineReader reader_;
  std::vector<std::string> columns_;
};

class JsonArray final : public Rows {
 public:
  JsonArray(const fs::path& path, std::vector<std::string> columns, size_t limit)
      : path_(path.string()), columns_(std::move(columns)), rows_(load(path, limit)) {
    const Context doing("reading {}", path_);
    if (!rows_.is_array()) fail("expected an array of objects, found {}", show_json(rows_));
  }

  std::optional<Row> next() override {
    if (row_ == rows_.size()) return std::nullopt;
    Row row = std::move(rows_[row_++]);
    const Context doing("reading {}, row {}", path_, row_);
    check_row(row, columns_);
    return row;
  }

 private:
  static Row load(const fs::path& path, size_t limit) {
    std::error_code ignored;
    const uintmax_t size = fs::file_size(path, ignored);
    if (!ignored && size > limit)
      fail(
          "reading {}: a JSON array of {} bytes, allowed are {}: write one object a line and call "
          "it .jsonl",
          path.string(), size, limit);
    return load_ordered_json(path, limit);
  }

  std::string path_;
  std::vector<std::string> columns_;
  Row rows_;
  size_t row_ = 0;
};

}  // namespace

std::unique_ptr<Rows> open_jsonl(const fs::path& path, const std::vector<std::string>& columns,
                                 size_t line_limit) {
  return std::make_unique<JsonLines>(path, columns, line_limit);
}

std::unique_ptr<Rows> open_json_array(const fs::path& path, const std::vector<std::string>& columns,
                                      size_t limit) {
  return std::make_unique<JsonArray>(path, columns, limit);
}

}  // namespace lathe
