// From a recipe's data options to training and validation batches.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "lathe/data/document_source.h"
#include "lathe/data/encode.h"
#include "lathe/data/evaluation_batches.h"
#include "lathe/data/options.h"
#include "lathe/text/tokenizer.h"

namespace lathe {

/// The data of a run, as tokens.
struct Dataset {
  std::vector<Pool> train;  ///< none without train_data
  DocumentSet validation;   ///< of valid_data or validation_split; may be empty
  /// The rows of each adapter, or else the sources of valid_data if there are several, by name:
  /// each is measured by itself too.
  std::vector<std::pair<std::string, DocumentSet>> validation_parts;
  DocumentReport train_report;  ///< what was read, the part held out included
  DocumentReport valid_report;  ///< of valid_data
  int64_t pad_id = 0;
  std::shared_ptr<const LabelSet> labels;      ///< where texts are classified
  std::shared_ptr<const FrozenStates> states;  ///< of layers that do not change, where kept
  std::vector<std::string> adapters;           ///< names of those that rows choose between
};

/// Whether texts are classified, and by which labels.
struct Labels {
  bool wanted = false;
  std::optional<LabelSet> known = {};
  std::optional<ProblemType> problem_type = {};  ///< otherwise as the labels look
};

/// Called while a source is being encoded; not at all where the cache has it.
using DataProgress = std::function<void(const DataSource&, const EncodeProgress&)>;

/// Finds, encodes (or takes from the cache) and splits the data. Sources without weights become one
/// pool, so that an epoch goes through all data once; with weights each is a pool of its own.
/// Throws Error for contradicting options, for a source without any document, and for a split that
/// leaves one side empty.
///
/// `labels`: texts have labels to be classified by. Those of `known` are the labels there may be;
/// without it they are those of the data. `adapters`: each row is learned by one of these, which
/// the row or its source names; a pool then has the rows of one adapter. Throws Error for a name
/// that is none of them, and for one that no row has.
Dataset open_dataset(const DataOptions& options, const Tokenizer& tokenizer, uint64_t seed,
                     const DataProgress& progress = {}, const Labels& labels = {},
                     const std::vector<std::string>& adapters = {});

/// Throws Error if the data has a token that a model of `vocab_size` tokens does not know.
void require_known_tokens(const Dataset& dataset, int64_t vocab_size, const Tokenizer& tokenizer);

/// The first `tokens` of a document as text, for messages and reports.
std::string beginning_of(const DocumentRef& document, const Tokenizer& tokenizer, uint64_t tokens,
                         bool skip_special_tokens);

/// How many texts to train on each output of a classifier is for.
std::vector<int64_t> label_counts(const Dataset& dataset);

/// The training batches of rank `rank` of `world`. Throws Error if there is no training data.
std::unique_ptr<Source> training_source(const Dataset& dataset, const DataOptions& options,
                                        uint64_t seed, int64_t rank = 0, int64_t world = 1);

/// The validation batches of rank `rank` of `world`; those of `part` if it is one of
/// validation_parts.
EvaluationBatches validation_batches(const Dataset& dataset, const DataOptions& options,
                                     int64_t rank = 0, int64_t world = 1,
                                     const DocumentSet* part = nullptr);

}  // namespace lathe
