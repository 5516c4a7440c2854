#include "lathe/data/encode.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lathe/base/error.h"
#include "lathe/base/hash.h"
#include "lathe/base/made_folder.h"
#include "lathe/data/documents.h"
#include "lathe/data/token_writer.h"
#include "lathe/io/rows.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

constexpr int format_version = 3;  // to be raised with any change of what a cache holds
constexpr size_t batch_bytes = size_t{16} << 20;

class Encoder {
 public:
  Encoder(const DataSource& source, const Tokenizer& tokenizer, const EncodeOptions& options)
      : source_(source), tokenizer_(tokenizer), options_(options), files_(source_files(source)) {
    require(!options.cache_dir.empty(), "cache_dir: expected a folder, found none");
    bos_ = tokenizer.own_bos_id();
    if (options.add_bos_token) bos_ = *options.add_bos_token ? tokenizer.bos_id() : std::nullopt;
    if (options.add_eos_token) eos_ = tokenizer.eos_id();
    progress_.files = files_.size();
  }

  std::shared_ptr<const TokenCache> run() {
    file_ops().make_directories(options_.cache_dir);
    find_key();
    open_or_make({.parent = options_.cache_dir,
                  .key = key_,
                  .open = [this] { return open(); },
                  .make = [this](const fs::path& work) { encode_into(work); },
                  .waiting = [this] { report_progress(); }});
    return cache_;
  }

 private:
  std::string label_column() const { return options_.labels ? source_.label_column : ""; }
  bool rows_have_adapters() const { return options_.adapters && source_.adapter.empty(); }
  std::string adapter_column() const { return rows_have_adapters() ? source_.adapter_column : ""; }
  void find_key() {
    Hasher names;
    for (const fs::path& file : files_) names.add(fs::absolute(file).string()).add("\n");
    FileHashes hashes(options_.cache_dir / (names.hex() + ".files.json"));
    nlohmann::json content = {format_version, tokenizer_.fingerprint(), bos_.value_or(-1),
                              eos_.value_or(-1)};
    bool any_table = false;
    bool any_text = false;
    for (const fs::path& file : files_) {
      stamps_.push_back(file_stamp(file));
      const bool table = is_table(file);
      (table ? any_table : any_text) = true;
      content.push_back({table ? file.extension().string() : "", hashes(file)});
    }
    content.push_back(any_table ? source_.column : "");
    if (any_table) {
      const TokenizerFiles files = tokenizer_.files();
      content.insert(content.end(),
                     {options_.completion_only_loss, options_.assistant_only_loss, label_column(),
                      adapter_column(), files.chat_templates, files.config});
      if (options_.time && ChatTemplates(tokenizer_).tell_time())
        content.push_back(options_.time->time_since_epoch().count());
    }
    content.push_back(any_text ? source_.document_start : "");
    require(!options_.labels || !any_text,
            "{}: texts without columns have no labels: give rows with text and label, in .jsonl or "
            ".parquet",
            source_.path);
    if (options_.adapters) content.push_back({source_.adapter, adapter_column()});
    require(
        !rows_have_adapters() || (!any_text && !source_.adapter_column.empty()),
        "{}: texts without a column for it: expected adapter, the name of the adapter that learns "
        "them",
        source_.path);
    using nlohmann::json;
    key_ = content_hash(content.dump(-1, ' ', false, json::error_handler_t::replace));
    hashes.save();
  }

  /// Whether the cache is there and whole.
  bool open() {
    const fs::path folder = options_.cache_dir / key_;
    if (!fs::exists(folder)) return false;
    try {
      FileHashes hashes(options_.cache_dir / (key_ + ".check.json"));
      auto cache = std::make_shared<TokenCache>(folder, hashes);
      if (cache->key() != key_ || cache->documents() == 0) return false;
      hashes.save();
      cache_ = std::move(cache);
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  struct Pending {
    DocumentPiece piece;
    fs::path file;
    uint64_t line;
  };

  void encode_into(const fs::path& work) {
    DocumentReader reader(files_, source_,
                          ExampleReader({.column = source_.column,
                                         .completion_only_loss = options_.completion_only_loss,
                                         .assistant_only_loss = options_.assistant_only_loss,
                                         .label_column = label_column(),
                                         .adapter_column = adapter_column(),
                                         .time = options_.time},
                                        ChatTemplates(tokenizer_)));
    TokenWriter writer(work, tokenizer_.vocab_size());
    std::vector<Pending> batch;
    size_t bytes = 0;
    while (auto piece = reader.next()) {
      bytes += piece->text.size() + sizeof(Pending);
      batch.push_back({std::move(*piece), reader.file(), reader.line()});
      if (bytes < batch_bytes) continue;
      write_batch(batch, reader, writer);
      bytes = 0;
    }
    write_batch(batch, reader, writer);
    require(writer.documents() > 0, "{}: no document that can be used in {} files: {}",
            source_.path, files_.size(), reader.report().summary());
    for (size_t i = 0; i < files_.size(); ++i)
      require(file_stamp(files_[i]) == stamps_[i],
              "{}: the file was changed while it was read: run again when it is complete",
              files_[i].string());
    writer.finish(key_, std::move(reader.report()));
  }

  void write_batch(std::vector<Pending>& batch, DocumentReader& reader, TokenWriter& writer) {
    std::vector<std::string_view> texts;
    texts.reserve(batch.size());
    for (const Pending& pending : batch) texts.push_back(pending.piece.text);
    const std::vector<std::vector<int32_t>> tokens =
        tokenizer_.encode_batch(texts, options_.labels);
    for (size_t i = 0; i < batch.size(); ++i) {
      const DocumentPiece& piece = batch[i].piece;
      if (piece.withdrawn) continue;  // its document is never ended
      if (piece.begins) {
        const std::optional<int32_t> bos = piece.complete ? std::nullopt : bos_;
        const bool given = !bos && !tokens[i].empty();
        writer.begin_document(bos, given ? tokenizer_.bytes_of(tokens[i][0]) : 0);
      }
      writer.add(piece.text, tokens[i], targets_of(batch[i], tokens[i], reader.report()));
      if (piece.ends && !writer.end_document(piece.complete ? std::nullopt : eos_, names_of(piece)))
        reader.report().skip(SkipReason::no_tokens, batch[i].file, batch[i].line);
    }
    batch.clear();
    progress_.files_done = reader.files_done();
    progress_.documents = writer.documents();
    progress_.text_bytes = writer.text_bytes();
    progress_.tokens = writer.tokens();
    report_progress();
  }

  NamesOfDocument names_of(const DocumentPiece& piece) const {
    const bool own = rows_have_adapters() || !options_.adapters;
    return {.label = piece.label, .adapter = own ? piece.adapter : source_.adapter};
  }

  /// Which tokens of a document are learned; nothing if all are.
  std::vector<uint8_t> targets_of(const Pending& pending, const std::vector<int32_t>& ids,
                                  DocumentReport& report) const {
    const DocumentPiece& piece = pending.piece;
    if (!piece.prompt && !piece.targets) return {};
    const Context reading("reading {}:{}", pending.file.string(), pending.line);
    std::vector<uint8_t> targets(ids.size(), 1);
    if (piece.targets) {
      const Tokenizer::Places encoded = tokenizer_.encode_with_places(piece.text, false);
      targets = span_mask(encoded.places, *piece.targets);
    } else {
      // As TRL does it: tokens may merge across the border, and are then part of the answer.
      const std::vector<int32_t> prompt = tokenizer_.encode(*piece.prompt, false);
      const auto [differs, of_prompt] = std::ranges::mismatch(ids, prompt);
      if (of_prompt != prompt.end()) report.merged_prompts.add(pending.file, pending.line);
      std::fill(targets.begin(), targets.begin() + (differs - ids.begin()), uint8_t{0});
    }
    const bool any = std::ranges::find(targets, uint8_t{1}) != targets.end();
    require(any || (!piece.complete && eos_), "no token of the row is learned: {}",
            show_text(piece.text));
    return targets;
  }

  void report_progress() const {
    if (options_.progress) options_.progress(progress_);
  }

  const DataSource& source_;
  const Tokenizer& tokenizer_;
  const EncodeOptions& options_;
  std::vector<fs::path> files_;
  std::vector<FileStamp> stamps_;
  std::optional<int32_t> bos_;
  std::optional<int32_t> eos_;
  std::string key_;
  std::shared_ptr<const TokenCache> cache_;
  EncodeProgress progress_;
};

}  // namespace

std::shared_ptr<const TokenCache> encode_source(const DataSource& source,
                                                const Tokenizer& tokenizer,
                                                const EncodeOptions& options) {
  const Context doing("preparing the data {}", source.path);
  return Encoder(source, tokenizer, options).run();
}

}  // namespace lathe
