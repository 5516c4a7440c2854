#include "lathe/data/document_source.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "lathe/base/error.h"
#include "lathe/base/hash.h"
#include "lathe/base/random.h"
#include "lathe/io/json.h"

namespace lathe {
namespace {

using nlohmann::json;

constexpr uint64_t golden_ratio = 0x9e3779b97f4a7c15;  // of 2^64

/// The next row of a pool.
Row take_row(DocumentStream& stream, const RowOptions& options) {
  auto room = static_cast<uint64_t>(options.max_length);
  Row row;
  do {
    const bool whole = stream.keeps_whole();
    if (whole && !row.empty() && stream.rest() > room) break;
    row.push_back(stream.take(room));
    room -= row.back().length;
    if (whole || options.truncation) stream.skip_rest();
  } while (options.packing && room > 0);
  return row;
}

/// The rows of the first epoch of a pool of which documents stay whole.
uint64_t taken_rows(DocumentStream stream, const RowOptions& options) {
  uint64_t rows = 0;
  for (; stream.position().epoch == 0; ++rows) take_row(stream, options);
  return rows;
}

uint64_t rows_of(const DocumentSet& documents, const RowOptions& options) {
  if (options.truncation) return documents.size();
  const auto length = static_cast<uint64_t>(options.max_length);
  uint64_t rows = 0;
  for (uint64_t i = 0; i < documents.size(); ++i)
    rows += (documents[i].record().tokens + length - 1) / length;
  return rows;
}

int64_t epoch_rows(const std::vector<DocumentStream>& streams, const RowOptions& options) {
  uint64_t rows = 0;
  uint64_t tokens = 0;
  for (const DocumentStream& stream : streams) {
    if (stream.documents().keeps_some_whole())
      rows += taken_rows(stream, options);
    else if (options.packing)
      tokens += stream.documents().tokens();
    else
      rows += rows_of(stream.documents(), options);
  }
  const auto length = static_cast<uint64_t>(options.max_length);
  return static_cast<int64_t>(rows + (tokens + length - 1) / length);
}

json position_json(const StreamPosition& at) {
  return {{"epoch", at.epoch}, {"position", at.position}, {"offset", at.offset}};
}

StreamPosition position_from(const json& object) {
  return {static_cast<uint64_t>(get_int(object, "epoch", 0)),
          static_cast<uint64_t>(get_int(object, "position", 0)),
          static_cast<uint64_t>(get_int(object, "offset", 0))};
}

/// Whether what lies beyond a row is dropped, instead of having rows of its own.
bool drops_rests(const RowOptions& options) {
  return options.truncation && !options.packing;
}

}  // namespace

double rows_that_fill(const DocumentSet& documents, const RowOptions& given) {
  RowOptions options = given;
  options.truncation = drops_rests(given);
  if (documents.keeps_some_whole()) {
    const DocumentStream stream(documents, 0, "", /*shuffle=*/false);
    return static_cast<double>(taken_rows(stream, options));
  }
  if (options.packing)
    return static_cast<double>(documents.tokens()) / static_cast<double>(options.max_length);
  return static_cast<double>(rows_of(documents, options));
}

DocumentSource::DocumentSource(std::vector<Pool> pools, const RowOptions& options, uint64_t seed,
                               bool shuffle)
    : options_(options), phase_(stream_seed(seed, "mixture")) {
  check_row_options(options);
  options_.truncation = drops_rests(options);
  require(!pools.empty(), "there are no documents to train on");
  Hasher hasher;
  hasher.add(format("{} {} {} {} {}", options_.max_length, options_.packing, options_.truncation,
                    seed, shuffle));
  double sum = 0;
  for (Pool& pool : pools) {
    require(std::isfinite(pool.weight) && pool.weight > 0,
            "weight: expected a number > 0, found {}", pool.weight);
    sum += pool.weight;
    bounds_.push_back(sum);
    hasher.add(format(" {} {}", pool.weight, pool.documents.fingerprint()));
    streams_.emplace_back(std::move(pool.documents), seed, format("shuffle {}", streams_.size()),
                          shuffle);
  }
  for (double& bound : bounds_) bound /= sum;
  rows_per_epoch_ = epoch_rows(streams_, options_);
  fingerprint_ = hasher.hex();
}

size_t DocumentSource::pool_of_row(uint64_t row) const {
  const double at = static_cast<double>((phase_ + row * golden_ratio) >> 11) * 0x1.0p-53;
  const auto found = std::ranges::upper_bound(bounds_, at);
  return std::min<size_t>(found - bounds_.begin(), bounds_.size() - 1);
}

Row DocumentSource::next_row() {
  return take_row(streams_[pool_of_row(row_++)], options_);
}

std::vector<Batch> DocumentSource::next(int64_t micro_batches) {
  require(micro_batches >= 1, "expected at least 1 micro-batch, found {}", micro_batches);
  std::vector<Batch> batches;
  for (int64_t i = 0; i < micro_batches; ++i) {
    std::vector<Row> rows;
    for (int64_t j = 0; j < options_.batch_size; ++j) {
      for (int64_t rank = 0; rank < options_.world; ++rank) {
        Row row = next_row();
        if (rank == options_.rank) rows.push_back(std::move(row));
      }
    }
    batches.push_back(assemble_batch(rows, options_));
  }
  return batches;
}

json DocumentSource::state() const {
  json streams = json::array();
  for (const DocumentStream& stream : streams_) streams.push_back(position_json(stream.position()));
  return {{"data", fingerprint_}, {"row", row_}, {"pools", std::move(streams)}};
}

void DocumentSource::restore(const json& state) {
  const Context doing("restoring the position in the data");
  require(
      get_string(state, "data") == fingerprint_,
      "the data, or how it becomes rows, is not what it was when this state was saved: give the "
      "same files and options, or start anew");
  const json& pools = get_array(state, "pools");
  require(pools.size() == streams_.size(), "\"pools\": expected {} entries, found {}",
          streams_.size(), pools.size());
  const auto row = static_cast<uint64_t>(get_int(state, "row", 0));
  std::vector<DocumentStream> streams = streams_;
  for (size_t i = 0; i < streams.size(); ++i) streams[i].seek(position_from(pools[i]));
  streams_ = std::move(streams);
  row_ = row;
}

double DocumentSource::epoch() const {
  return static_cast<double>(row_) / static_cast<double>(rows_per_epoch_);
}

}  // namespace lathe
