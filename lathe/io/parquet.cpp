#include "lathe/io/parquet.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "rust/lathe_bridge.hpp"

namespace lathe {
namespace {

using nlohmann::json;

class ParquetRows : public Rows {
 public:
  ParquetRows(const std::filesystem::path& path, const std::vector<std::string>& columns)
      : path_(path.string()) {
    const Context doing("reading {}", path_);
    LatheParquet* rows = nullptr;
    LatheBytes error;
    const std::string names = json(columns).dump();
    bridge::check(lathe_parquet_open(bridge::text_of(path_), bridge::text_of(names), &rows, &error),
                  error);
    rows_.reset(rows);
  }

  std::optional<nlohmann::ordered_json> next() override {
    const Context doing("reading {}", path_);
    if (begin_ == batch_.size()) {
      LatheBytes batch, error;
      bridge::check(lathe_parquet_next(rows_.get(), &batch, &error), error);
      batch_ = bridge::take(batch);
      begin_ = 0;
      if (batch_.empty()) return std::nullopt;
    }
    const size_t end = batch_.find('\n', begin_);
    const std::string_view row = std::string_view(batch_).substr(begin_, end - begin_);
    begin_ = end + 1;
    return nlohmann::ordered_json::parse(row);
  }

 private:
  std::string path_;
  bridge::ParquetPointer rows_;
  std::string batch_;  // rows, each with its line end
  size_t begin_ = 0;   // of the next row
};

}  // namespace

std::unique_ptr<Rows> open_parquet(const std::filesystem::path& path,
                                   const std::vector<std::string>& columns) {
  return std::make_unique<ParquetRows>(path, columns);
}

}  // namespace lathe
