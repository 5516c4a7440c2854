// From the files of a source to its token cache.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "lathe/data/options.h"
#include "lathe/data/token_cache.h"
#include "lathe/text/tokenizer.h"

namespace lathe {

/// How far the encoding of one source is.
struct EncodeProgress {
  uint64_t files_done = 0;
  uint64_t files = 0;
  uint64_t documents = 0;
  uint64_t text_bytes = 0;
  uint64_t tokens = 0;
};

/// How a source becomes tokens.
struct EncodeOptions {
  /// Before each document, if the tokenizer has one; by default if it puts it there itself.
  std::optional<bool> add_bos_token = {};
  bool add_eos_token = true;         ///< after each document, if the tokenizer has one
  bool completion_only_loss = true;  ///< of rows with a prompt: it is not learned
  bool assistant_only_loss = true;   ///< of conversations: only what the assistant says is learned
  bool labels = false;               ///< rows are labelled texts
  bool adapters = false;             ///< each row says which adapter learns it, or its source does
  std::optional<std::chrono::local_seconds> time = {};  ///< for templates that write the date
  std::filesystem::path cache_dir;
  /// Called after every batch of text; what it throws ends the work and leaves nothing behind.
  std::function<void(const EncodeProgress&)> progress;
};

/// The tokens of a source: those of `cache_dir` if the same text was encoded by the same tokenizer
/// in the same way before, otherwise encoded now, by all cores, in bounded memory. A damaged cache
/// is made anew. Several processes may ask for the same at once: one works, the others wait. Throws
/// Error if no document can be used.
std::shared_ptr<const TokenCache> encode_source(const DataSource& source,
                                                const Tokenizer& tokenizer,
                                                const EncodeOptions& options);

}  // namespace lathe
