#include "lathe/data/dataset.h"

#include <algorithm>

#include "lathe/base/error.h"
#include "lathe/data/documents.h"
#include "lathe/data/split.h"

namespace lathe {
namespace {

RowOptions row_options(const Dataset& dataset, const DataOptions& options, int64_t batch_size,
                       int64_t rank, int64_t world) {
  return {.max_length = options.max_length,
          .batch_size = batch_size,
          .packing = options.packing,
          .truncation = options.truncation,
          .pad_id = dataset.pad_id,
          .rank = rank,
          .world = world};
}

void check(const DataOptions& options) {
  for (const DataSource& source : options.train_data) check_source(source);
  for (const DataSource& source : options.valid_data) {
    check_source(source);
    require(!source.weight,
            "valid_data: {} has a weight, which has no meaning there: all of it is evaluated",
            source.path);
  }
  require(options.validation_split >= 0 && options.validation_split < 1,
          "validation_split: expected a share in [0, 1), found {}", options.validation_split);
  require(options.validation_split == 0 || options.valid_data.empty(),
          "expected valid_data or validation_split, found both");
}

std::shared_ptr<const TokenCache> encode(const DataSource& source, const DataOptions& options,
                                         const Tokenizer& tokenizer, const DataProgress& progress) {
  EncodeOptions encode_options{.add_bos_token = options.add_bos_token,
                               .add_eos_token = options.add_eos_token,
                               .cache_dir = options.cache_dir,
                               .progress = {}};
  if (progress) encode_options.progress = [&](const EncodeProgress& at) { progress(source, at); };
  return encode_source(source, tokenizer, encode_options);
}

void add_train_source(Dataset& dataset, const DataSource& source, const DataOptions& options,
                      std::shared_ptr<const TokenCache> cache, bool weighted, uint64_t seed) {
  dataset.train_report += cache->report();
  const uint64_t documents = cache->documents();
  Split split = split_documents(std::move(cache), options.validation_split, seed);
  require(split.train.size() > 0,
          "{}: validation_split {} of {} documents leaves none to train on: give a smaller one",
          source.path, options.validation_split, documents);
  dataset.validation.add(split.validation);
  if (weighted || dataset.train.empty()) dataset.train.emplace_back();
  Pool& pool = dataset.train.back();
  pool.weight = source.weight.value_or(1);
  pool.documents.add(split.train);
}

}  // namespace

Dataset open_dataset(const DataOptions& options, const Tokenizer& tokenizer, uint64_t seed,
                     const DataProgress& progress) {
  check(options);
  Dataset dataset;
  dataset.pad_id = tokenizer.pad_id().value_or(tokenizer.eos_id().value_or(0));
  const bool weighted = std::ranges::any_of(
      options.train_data, [](const DataSource& source) { return source.weight.has_value(); });
  for (const DataSource& source : options.train_data)
    add_train_source(dataset, source, options, encode(source, options, tokenizer, progress),
                     weighted, seed);
  require(
      options.validation_split == 0 || options.train_data.empty() || dataset.validation.size() > 0,
      "validation_split {} of {} documents leaves none to validate on: give a larger one, "
      "valid_data, or document_start to make documents of parts of a file",
      options.validation_split, dataset.train_report.documents);
  for (const DataSource& source : options.valid_data) {
    auto cache = encode(source, options, tokenizer, progress);
    dataset.valid_report += cache->report();
    dataset.validation.add(std::move(cache));
  }
  return dataset;
}

std::unique_ptr<Source> training_source(const Dataset& dataset, const DataOptions& options,
                                        uint64_t seed, int64_t rank, int64_t world) {
  require(!dataset.train.empty(), "train_data: expected files to train on, found none");
  return std::make_unique<DocumentSource>(
      dataset.train,
      row_options(dataset, options, options.per_device_train_batch_size, rank, world), seed,
      options.shuffle);
}

EvaluationBatches validation_batches(const Dataset& dataset, const DataOptions& options,
                                     int64_t rank, int64_t world) {
  return {dataset.validation,
          row_options(dataset, options, options.per_device_eval_batch_size, rank, world)};
}

}  // namespace lathe
