#include "lathe/data/row.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "lathe/base/error.h"
#include "lathe/data/state_cache.h"

namespace lathe {
namespace {

uint64_t row_length(const Row& row) {
  return std::accumulate(row.begin(), row.end(), uint64_t{0},
                         [](uint64_t sum, const RowPiece& piece) { return sum + piece.length; });
}

/// The width of a batch whose longest row has `longest` tokens: one of sixteen in each octave. For
/// every shape of a product libraries make code of its own, which takes as long as many products.
int64_t batch_width(uint64_t longest, int64_t max_length) {
  const uint64_t step = std::max<uint64_t>(1, std::bit_floor(longest) / 16);
  return std::min(static_cast<int64_t>((longest + step - 1) / step * step), max_length);
}

/// One row of each tensor of a batch.
struct RowView {
  int64_t* input_ids;
  int64_t* labels;
  int64_t* position_ids;
  int32_t* segment_ids;
};

/// Returns how many tokens are targets.
int64_t write_row(const Row& row, RowView view) {
  int64_t targets = 0;
  std::vector<uint8_t> learned;
  uint64_t at = 0;
  int32_t segment = 0;
  for (const RowPiece& piece : row) {
    const std::span<int64_t> tokens(view.input_ids + at, piece.length);
    piece.document.cache->read(piece.document.document, piece.begin, tokens);
    learned.resize(piece.length);
    piece.document.cache->read_targets(piece.document.document, piece.begin, learned);
    learned[0] = 0;  // nothing comes before it that could predict it
    for (size_t i = 0; i < learned.size(); ++i)
      view.labels[at + i] = learned[i] != 0 ? tokens[i] : ignored_label;
    targets += std::accumulate(learned.begin(), learned.end(), int64_t{0});
    std::iota(view.position_ids + at, view.position_ids + at + piece.length, int64_t{0});
    std::fill_n(view.segment_ids + at, piece.length, segment++);
    at += piece.length;
  }
  return targets;
}

/// Where the texts of a batch end, and what they are labelled with.
void add_labels(Batch& batch, const std::vector<Row>& rows, const LabelSet& labels) {
  std::vector<int64_t> ends;
  std::vector<float> targets;
  for (size_t i = 0; i < rows.size(); ++i) {
    auto at = static_cast<int64_t>(i) * batch.length();
    for (const RowPiece& piece : rows[i]) {
      at += static_cast<int64_t>(piece.length);
      if (piece.begin != 0) continue;
      ends.push_back(at - 1);
      const std::vector<float> target =
          labels.target(piece.document.cache->labels()[piece.document.document]);
      targets.insert(targets.end(), target.begin(), target.end());
    }
  }
  const auto outputs = static_cast<int64_t>(labels.names.size());
  batch.ends = at::tensor(ends, at::kLong);
  batch.targets = at::tensor(targets, at::kFloat).view({-1, outputs});
}

/// Which of the adapters learns a row.
int64_t adapter_of(const Row& row, const std::vector<std::string>& adapters) {
  const auto name_of = [](const RowPiece& piece) {
    return piece.document.cache->adapters()[piece.document.document];
  };
  const std::string name = name_of(row.front());
  require(std::ranges::all_of(row, [&](const RowPiece& piece) { return name_of(piece) == name; }),
          "the documents of a row belong to several adapters");
  const auto found = std::ranges::find(adapters, name);
  require(found != adapters.end(), "there is no adapter with the name {}", name);
  return found - adapters.begin();
}

}  // namespace

void check_row_options(const RowOptions& options) {
  constexpr int64_t most = int64_t{1} << 24;
  require(options.max_length >= 2 && options.max_length <= most,
          "max_length: expected 2 to {} tokens, found {}", most, options.max_length);
  require(options.batch_size >= 1 && options.batch_size <= (int64_t{1} << 40) / options.max_length,
          "batch size: expected at least 1 row, and at most 2^40 tokens, found {} rows",
          options.batch_size);
  require(options.world >= 1 && options.rank >= 0 && options.rank < options.world,
          "expected a rank from 0 to {}, found {}", options.world - 1, options.rank);
}

Batch assemble_batch(const std::vector<Row>& rows, const RowOptions& options) {
  uint64_t longest = 0;
  for (const Row& row : rows) longest = std::max(longest, row_length(row));
  const int64_t width = batch_width(longest, options.max_length);
  const std::array<int64_t, 2> shape = {static_cast<int64_t>(rows.size()), width};
  Batch batch;
  batch.input_ids = at::full(shape, options.pad_id, at::kLong);  // (B, T)
  batch.labels = at::full(shape, ignored_label, at::kLong);      // (B, T)
  batch.position_ids = at::zeros(shape, at::kLong);              // (B, T)
  batch.segment_ids = at::full(shape, -1, at::kInt);             // (B, T)
  for (size_t i = 0; i < rows.size(); ++i) {
    const int64_t at = static_cast<int64_t>(i) * width;
    batch.target_tokens += write_row(rows[i], {batch.input_ids.mutable_data_ptr<int64_t>() + at,
                                               batch.labels.mutable_data_ptr<int64_t>() + at,
                                               batch.position_ids.mutable_data_ptr<int64_t>() + at,
                                               batch.segment_ids.mutable_data_ptr<int32_t>() + at});
    for (const RowPiece& piece : rows[i]) {
      if (piece.document.cache->has_targets()) batch.text_bytes.reset();
      if (piece.begin == 0 && batch.text_bytes)
        *batch.text_bytes += static_cast<int64_t>(piece.document.record().text_bytes);
    }
  }
  if (options.labels) add_labels(batch, rows, *options.labels);
  if (!options.adapters.empty())
    for (const Row& row : rows) batch.adapters.push_back(adapter_of(row, options.adapters));
  if (options.states) {
    batch.states = options.states->of(rows, batch.length());
    if (batch.states.defined()) batch.first_layer = options.states->layers;
  }
  return batch;
}

}  // namespace lathe
