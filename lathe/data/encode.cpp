#include "lathe/data/encode.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "lathe/base/error.h"
#include "lathe/base/hash.h"
#include "lathe/data/documents.h"
#include "lathe/data/token_writer.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

constexpr int format_version = 2;  // to be raised with any change of what a cache holds
constexpr size_t batch_bytes = size_t{16} << 20;

/// Waits until no other process makes the same cache. Where the file system has no locks it does
/// not wait: then both work, and the first to finish wins.
class BuildLock {
 public:
  BuildLock(const fs::path& path, const std::function<void()>& waiting)
      : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    if (file_ < 0) return;
    try {
      while (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) return;
        waiting();
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
    } catch (...) {
      ::close(file_);
      throw;
    }
    held_ = true;
  }
  ~BuildLock() {
    if (file_ >= 0) ::close(file_);
  }
  BuildLock(const BuildLock&) = delete;
  BuildLock& operator=(const BuildLock&) = delete;
  bool held() const { return held_; }

 private:
  int file_;
  bool held_ = false;
};

/// A folder that is gone with this object.
class WorkFolder {
 public:
  explicit WorkFolder(fs::path path) : path_(std::move(path)) {
    file_ops().make_directories(path_);
  }
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

class Encoder {
 public:
  Encoder(const DataSource& source, const Tokenizer& tokenizer, const EncodeOptions& options)
      : source_(source), tokenizer_(tokenizer), options_(options), files_(source_files(source)) {
    require(!options.cache_dir.empty(), "cache_dir: expected a folder, found none");
    if (options.add_bos_token) bos_ = tokenizer.bos_id();
    if (options.add_eos_token) eos_ = tokenizer.eos_id();
    progress_.files = files_.size();
  }

  std::shared_ptr<const TokenCache> run() {
    file_ops().make_directories(options_.cache_dir);
    find_key();
    if (auto cache = open()) return cache;
    const BuildLock lock(beside(".lock"), [this] { report_progress(); });
    if (auto cache = open()) return cache;
    if (lock.held()) remove_leftovers();
    const WorkFolder work(beside(unique("tmp")));
    encode_into(work.path());
    if (fs::exists(folder())) remove_damaged();
    try {
      publish_directory(work.path(), folder());
    } catch (const Error&) {
      if (auto cache = open()) return cache;  // another process was faster
      throw;
    }
    FileHashes hashes(beside(".check.json"));
    return std::make_shared<TokenCache>(folder(), hashes);
  }

 private:
  std::string label_column() const { return options_.labels ? source_.label_column : ""; }
  fs::path folder() const { return options_.cache_dir / key_; }
  fs::path beside(const std::string& suffix) const { return options_.cache_dir / (key_ + suffix); }

  std::string unique(const char* what) const {
    static std::atomic<uint64_t> counter = 0;
    return format(".{}-{}-{}", what, ::getpid(), ++counter);
  }

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
      content.insert(content.end(), {options_.completion_only_loss, options_.assistant_only_loss,
                                     label_column(), files.chat_template, files.config});
    }
    content.push_back(any_text ? source_.document_start : "");
    using nlohmann::json;
    key_ = content_hash(content.dump(-1, ' ', false, json::error_handler_t::replace));
    hashes.save();
  }

  /// The cache if it is there and whole.
  std::shared_ptr<const TokenCache> open() const {
    if (!fs::exists(folder())) return nullptr;
    try {
      FileHashes hashes(beside(".check.json"));
      auto cache = std::make_shared<TokenCache>(folder(), hashes);
      if (cache->key() != key_ || cache->documents() == 0) return nullptr;
      hashes.save();
      return cache;
    } catch (const Error&) {
      return nullptr;
    }
  }

  /// In two steps, so that nobody finds half a folder.
  void remove_damaged() const {
    const fs::path away = beside(unique("damaged"));
    file_ops().rename(folder(), away);
    file_ops().remove_all(away);
  }

  /// What processes left that were killed at work.
  void remove_leftovers() const {
    std::vector<fs::path> found;
    for (const fs::directory_entry& entry : fs::directory_iterator(options_.cache_dir)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(key_ + ".tmp-") || name.starts_with(key_ + ".damaged-"))
        found.push_back(entry.path());
    }
    for (const fs::path& path : found) file_ops().remove_all(path);
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
                                         .label_column = label_column()},
                                        chat_template_of(tokenizer_)));
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
    for (const Pending& pending : batch) texts.push_back(pending.piece.text);
    const std::vector<std::vector<int32_t>> tokens =
        tokenizer_.encode_batch(texts, options_.labels);
    for (size_t i = 0; i < batch.size(); ++i) {
      const DocumentPiece& piece = batch[i].piece;
      if (piece.withdrawn) continue;  // its document is never ended
      if (piece.begins) writer.begin_document(piece.complete ? std::nullopt : bos_);
      writer.add(piece.text, tokens[i], targets_of(batch[i], tokens[i]));
      if (piece.ends && !writer.end_document(piece.complete ? std::nullopt : eos_, piece.label))
        reader.report().skip(SkipReason::no_tokens, batch[i].file, batch[i].line);
    }
    batch.clear();
    progress_.files_done = reader.files_done();
    progress_.documents = writer.documents();
    progress_.text_bytes = writer.text_bytes();
    progress_.tokens = writer.tokens();
    report_progress();
  }

  /// Which tokens of a document are learned; nothing if all are.
  std::vector<uint8_t> targets_of(const Pending& pending, const std::vector<int32_t>& ids) const {
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
      const auto [differs, _] = std::ranges::mismatch(ids, prompt);
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
