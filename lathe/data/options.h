// The options of data, under the names of transformers and TRL where those have one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lathe/options/fields.h"

namespace lathe {

/// One entry of `train_data` or `valid_data`; a bare string is its `path`.
struct DataSource {
  std::string path{};
  std::string name{};
  std::optional<double> weight{};
  std::string column = "text";
  std::string label_column = "label";
  std::string document_start{};
  std::string adapter{};
  std::string adapter_column = "adapter";

  static constexpr const char* scalar_field = "path";
  void fields(Fields& f) {
    f("path", path, "File, folder or glob; .jsonl and .parquet are tables, anything else is text.",
      {.placeholder = "PATH", .required = true});
    f("name", name,
      "What the measurements of this source are called, where there are several to validate on; by "
      "default the file's name.");
    f("weight", weight,
      "Share of the rows, relative to the other sources (1 where only others have one). Without "
      "any weight, an epoch goes through all data once.",
      {.above = 0});
    f("column", column,
      "The column that holds the text, in .jsonl and .parquet files. Rows with messages, prompt "
      "and "
      "completion, instruction and output, or conversations are known by these columns.",
      {.aliases = {"dataset_text_field", "text_field"}});
    f("label_column", label_column, "The column that holds the label, where texts are classified.");
    f("document_start", document_start,
      "In text files, a line that begins with this starts a new document. Empty: a file is one.");
    f("adapter", adapter,
      "Where adapters have names: the one that learns all of this source; otherwise each row says "
      "it.");
    f("adapter_column", adapter_column, "The column in which rows say it.");
  }
};

/// From files to batches.
struct DataOptions {
  std::vector<DataSource> train_data;
  std::vector<DataSource> valid_data;
  double validation_split = 0;
  int64_t max_length = 1024;
  bool packing = true;
  bool truncation = false;
  bool shuffle = true;
  std::optional<bool> add_bos_token{};
  bool add_eos_token = true;
  bool completion_only_loss = true;
  bool assistant_only_loss = true;
  std::string chat_template_date{};
  int64_t per_device_train_batch_size = 8;
  int64_t per_device_eval_batch_size = 8;
  std::string cache_dir;

  void fields(Fields& f) {
    f.group("Data");
    f("train_data", train_data, "Files, folders and globs to train on.");
    f("valid_data", valid_data, "Files, folders and globs to validate on.");
    f("validation_split", validation_split,
      "Share of the training documents held out for validation, chosen by a hash of their content, "
      "so that equal documents are never on both sides.",
      {.minimum = 0, .below = 1, .aliases = {"val_size", "val_set_size"}});
    f("max_length", max_length, "Tokens in a row.",
      {.minimum = 2,
       .maximum = 1 << 24,
       .aliases = {"max_seq_length", "sequence_len", "cutoff_len"},
       .unit = "tokens"});
    f("packing", packing,
      "Fill each row with several documents; attention does not cross from one to the next.",
      {.aliases = {"sample_packing"}});
    f("truncation", truncation,
      "Drop what lies beyond max_length: without packing instead of giving it rows of its own; of "
      "rows with answers or labels instead of an error.");
    f("shuffle", shuffle, "Visit the documents in a new order every epoch.");
    f("add_bos_token", add_bos_token,
      "Begin each document with the tokenizer's beginning-of-sequence token, if it has one; by "
      "default if the tokenizer itself puts it before a text, as it will in use.");
    f("add_eos_token", add_eos_token,
      "End each document with the tokenizer's end-of-sequence token, if it has one.");
    f("completion_only_loss", completion_only_loss,
      "Of rows with a prompt (or an instruction) only the completion is learned.");
    f("assistant_only_loss", assistant_only_loss,
      "Of conversations only what the assistant says is learned: what the chat template marks with "
      "{% generation %}, otherwise what it adds for these messages.");
    f("chat_template_date", chat_template_date,
      "The day that chat templates tell the model, where they do; by default that on which the run "
      "begins.",
      {.placeholder = "YYYY-MM-DD"});
    f("per_device_train_batch_size", per_device_train_batch_size, "Rows in a training batch.",
      {.minimum = 1, .maximum = 1 << 20, .aliases = {"micro_batch_size"}, .unit = "rows"});
    f("per_device_eval_batch_size", per_device_eval_batch_size, "Rows in an evaluation batch.",
      {.minimum = 1, .maximum = 1 << 20, .unit = "rows"});
    f("cache_dir", cache_dir, "Folder that keeps the data as tokens, for this run and later ones.",
      {.placeholder = "DIR"});
  }
};

}  // namespace lathe
