#include "lathe/data/dataset.h"

#include <algorithm>
#include <set>

#include "lathe/base/error.h"
#include "lathe/base/file.h"
#include "lathe/data/documents.h"
#include "lathe/data/split.h"
#include "lathe/io/utf8.h"
#include "lathe/text/chat_template.h"

namespace lathe {
namespace {

RowOptions row_options(const Dataset& dataset, const DataOptions& options, int64_t batch_size,
                       int64_t rank, int64_t world) {
  return {.max_length = options.max_length,
          .batch_size = batch_size,
          .packing = options.packing,
          .truncation = options.truncation,
          .pad_id = dataset.pad_id,
          .labels = dataset.labels,
          .states = dataset.states,
          .adapters = dataset.adapters,
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

/// Throws Error if rows that are learned in parts, or have a label, are longer than max_length,
/// unless they may be cut and keep something to learn.
void check_lengths(const TokenCache& cache, const DataSource& source, const DataOptions& options,
                   const Tokenizer& tokenizer) {
  if (!cache.keeps_whole()) return;
  const auto length = static_cast<uint64_t>(options.max_length);
  std::vector<uint8_t> learned(length);
  for (uint64_t i = 0; i < cache.documents(); ++i) {
    const uint64_t tokens = cache[i].tokens;
    if (tokens <= length) continue;
    if (cache.has_targets()) cache.read_targets(i, 0, learned);
    const bool any =
        !cache.has_targets() || std::ranges::find(learned, uint8_t{1}) != learned.end();
    if (any && options.truncation) continue;
    fail("{}: text {} has {} tokens, max_length is {}: {}; it begins {}", source.path, i + 1,
         tokens, options.max_length,
         any ? "give a larger one, or truncation: true to cut such rows"
             : "nothing would be left to learn of it; give a larger one, or leave it out",
         beginning_of({&cache, i}, tokenizer, 200, /*skip_special_tokens=*/false));
  }
}

std::optional<std::chrono::local_seconds> time_of(const DataOptions& options) {
  if (options.chat_template_date.empty()) return std::nullopt;
  const Context reading("\"chat_template_date\"");
  return day_named(options.chat_template_date);
}

std::shared_ptr<const TokenCache> encode(const DataSource& source, const DataOptions& options,
                                         const Tokenizer& tokenizer, const Dataset& dataset,
                                         bool labels, const DataProgress& progress) {
  EncodeOptions encode_options{.add_bos_token = options.add_bos_token,
                               .add_eos_token = options.add_eos_token,
                               .completion_only_loss = options.completion_only_loss,
                               .assistant_only_loss = options.assistant_only_loss,
                               .labels = labels,
                               .adapters = !dataset.adapters.empty(),
                               .time = time_of(options),
                               .cache_dir = options.cache_dir,
                               .progress = {}};
  if (progress) encode_options.progress = [&](const EncodeProgress& at) { progress(source, at); };
  auto cache = encode_source(source, tokenizer, encode_options);
  check_lengths(*cache, source, options, tokenizer);
  for (const std::string& name : cache->adapters().all())
    require(std::ranges::find(dataset.adapters, name) != dataset.adapters.end(),
            "{}: a row names the adapter {}, expected one of {}", source.path, show_text(name),
            fmt::join(dataset.adapters, ", "));
  return cache;
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

/// What a source of valid_data is called: by its name, or that of its file; no two are the same.
std::string part_name(const DataSource& source, const Dataset& dataset) {
  const std::string stem = fs::path(source.path).stem().string();
  const std::string name = source.name.empty() ? stem : source.name;
  const auto taken = [&](const std::string& other) {
    return std::ranges::any_of(dataset.validation_parts,
                               [&](const auto& part) { return part.first == other; });
  };
  if (!taken(name)) return name;
  int64_t number = 2;
  while (taken(format("{}_{}", name, number))) ++number;
  return format("{}_{}", name, number);
}

/// A source as tokens.
struct EncodedSource {
  std::string path;
  std::shared_ptr<const TokenCache> cache;
};

/// Throws Error for a label that is none of the set, with the first text that has it.
void check_labels(const LabelSet& set, const EncodedSource& source, const Tokenizer& tokenizer) {
  const DocumentNames& labels = source.cache->labels();
  for (size_t place = 0; place < labels.all().size(); ++place) try {
      set.target(labels.all()[place]);
    } catch (const Error& error) {
      uint64_t document = 0;
      while (labels.place(document) != place) ++document;
      fail("{}: {}; text {}: {}", source.path, error.what(), document + 1,
           beginning_of({source.cache.get(), document}, tokenizer, 40,
                        /*skip_special_tokens=*/true));
    }
}

/// The labels of the data.
std::shared_ptr<const LabelSet> label_set(const Dataset& dataset, const Labels& labels) {
  std::set<std::string> there;
  for (const Pool& pool : dataset.train) pool.documents.add_labels(there);
  if (dataset.train.empty()) dataset.validation.add_labels(there);
  const std::vector<std::string> list(there.begin(), there.end());
  auto set = std::make_shared<const LabelSet>(
      labels.known ? *labels.known : find_labels(list, labels.problem_type));
  return set;
}

/// The same pools, each for the rows of one adapter, which get the share that all of them fill.
std::vector<Pool> by_adapter(const std::vector<Pool>& pools, const Dataset& dataset,
                             const RowOptions& options) {
  std::vector<Pool> split;
  std::set<std::string> there;
  for (const Pool& pool : pools) {
    std::vector<std::pair<DocumentSet, double>> parts;  // and the rows of each
    double rows = 0;
    for (const std::string& name : dataset.adapters) {
      DocumentSet documents = pool.documents.of_adapter(name);
      if (documents.size() == 0) continue;
      there.insert(name);
      parts.emplace_back(documents, rows_that_fill(documents, options));
      rows += parts.back().second;
    }
    for (const auto& [documents, filled] : parts)
      split.push_back({documents, pool.weight * filled / rows});
  }
  for (const std::string& name : dataset.adapters)
    require(there.contains(name), "train_data: no row to train on names the adapter {}", name);
  return split;
}

}  // namespace

Dataset open_dataset(const DataOptions& options, const Tokenizer& tokenizer, uint64_t seed,
                     const DataProgress& progress, const Labels& labels,
                     const std::vector<std::string>& adapters) {
  check(options);
  Dataset dataset;
  dataset.adapters = adapters;
  dataset.pad_id = tokenizer.pad_id().value_or(tokenizer.eos_id().value_or(0));
  const bool weighted = std::ranges::any_of(
      options.train_data, [](const DataSource& source) { return source.weight.has_value(); });
  std::vector<EncodedSource> sources;
  for (const DataSource& source : options.train_data) {
    auto cache = encode(source, options, tokenizer, dataset, labels.wanted, progress);
    sources.push_back({source.path, cache});
    add_train_source(dataset, source, options, std::move(cache), weighted, seed);
  }
  require(
      options.validation_split == 0 || options.train_data.empty() || dataset.validation.size() > 0,
      "validation_split {} of {} documents leaves none to validate on: give a larger one, "
      "valid_data, or document_start to make documents of parts of a file",
      options.validation_split, dataset.train_report.documents);
  for (const DataSource& source : options.valid_data) {
    auto cache = encode(source, options, tokenizer, dataset, labels.wanted, progress);
    sources.push_back({source.path, cache});
    dataset.valid_report += cache->report();
    if (adapters.empty() && options.valid_data.size() > 1) {
      DocumentSet& part =
          dataset.validation_parts.emplace_back(part_name(source, dataset), DocumentSet()).second;
      part.add(cache);
    }
    dataset.validation.add(std::move(cache));
  }
  if (!adapters.empty())
    dataset.train = by_adapter(dataset.train, dataset, row_options(dataset, options, 1, 0, 1));
  for (const std::string& name : adapters)
    if (DocumentSet part = dataset.validation.of_adapter(name); part.size() > 0)
      dataset.validation_parts.emplace_back(name, std::move(part));
  if (labels.wanted) {
    dataset.labels = label_set(dataset, labels);
    for (const EncodedSource& source : sources) check_labels(*dataset.labels, source, tokenizer);
  }
  return dataset;
}

void require_known_tokens(const Dataset& dataset, int64_t vocab_size, const Tokenizer& tokenizer) {
  const auto check = [&](const DocumentSet& documents) {
    for (const auto& source : documents.sources())
      require(source->token_limit() <= static_cast<uint64_t>(vocab_size),
              "the data has the token {}, the model knows those below {}: the tokenizer, which has "
              "{}, is that of another model; give the model's own, or name new tokens in "
              "additional_special_tokens",
              source->token_limit() - 1, vocab_size, tokenizer.vocab_size());
  };
  for (const Pool& pool : dataset.train) check(pool.documents);
  check(dataset.validation);
}

std::string beginning_of(const DocumentRef& document, const Tokenizer& tokenizer, uint64_t tokens,
                         bool skip_special_tokens) {
  std::vector<int64_t> ids(std::min(document.record().tokens, tokens));
  document.cache->read(document.document, 0, ids);
  return show_text(
      tokenizer.decode(std::vector<int32_t>(ids.begin(), ids.end()), skip_special_tokens));
}

std::vector<int64_t> label_counts(const Dataset& dataset) {
  std::vector<int64_t> counts(dataset.labels->names.size());
  for (const Pool& pool : dataset.train)
    for (uint64_t i = 0; i < pool.documents.size(); ++i) {
      const DocumentRef document = pool.documents[i];
      const std::vector<float> target =
          dataset.labels->target(document.cache->labels()[document.document]);
      for (size_t output = 0; output < counts.size(); ++output)
        counts[output] += target[output] > 0;
    }
  return counts;
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
                                     int64_t rank, int64_t world, const DocumentSet* part) {
  return {part != nullptr ? *part : dataset.validation,
          row_options(dataset, options, options.per_device_eval_batch_size, rank, world)};
}

}  // namespace lathe
