#include "lathe/io/rows.h"

#include <algorithm>

#include "lathe/base/error.h"
#include "lathe/io/file_kind.h"
#include "lathe/io/jsonl.h"
#include "lathe/io/line_reader.h"
#include "lathe/io/parquet.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

std::string lower_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return extension;
}

bool is_json(const std::string& extension) {
  return extension == ".jsonl" || extension == ".ndjson" || extension == ".json";
}

std::string read_head(const std::filesystem::path& path) {
  constexpr size_t enough = 4096;
  std::string head;
  ByteReader(path).read(head, enough);
  return head;
}

bool is_json_array(std::string_view head) {
  if (begins_with_bom(head)) head.remove_prefix(3);
  const size_t first = head.find_first_not_of(" \t\r\n");
  return first != head.npos && head[first] == '[';
}

}  // namespace

bool is_table(const std::filesystem::path& path) {
  const std::string extension = lower_extension(path);
  return is_json(extension) || extension == ".parquet";
}

std::unique_ptr<Rows> open_rows(const std::filesystem::path& path,
                                const std::vector<std::string>& columns) {
  const std::string extension = lower_extension(path);
  const bool json = is_json(extension);
  if (!json && extension != ".parquet")
    fail("opening {}: expected a file of rows (.jsonl, .ndjson, .json or .parquet), found {}",
         path.string(), extension.empty() ? "a name without extension" : show_text(extension));
  const std::string head = read_head(path);
  const std::string_view kind = file_kind(head);
  if (json ? !kind.empty() : !head.starts_with("PAR1"))
    fail("opening {}: expected {}, as the name says, found {}", path.string(),
         json ? "JSON" : "a Parquet file", kind.empty() ? "something else" : kind);
  if (!json) return open_parquet(path, columns);
  if (extension == ".json" && is_json_array(head)) return open_json_array(path, columns);
  return open_jsonl(path, columns);
}

}  // namespace lathe
