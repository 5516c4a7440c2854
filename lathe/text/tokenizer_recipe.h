// The parts of a tokenizer.json that options of training choose.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "lathe/text/train_tokenizer.h"

namespace lathe {

/// The options with everything that was left empty filled in. Throws Error if they do not fit
/// together.
TokenizerOptions complete_options(TokenizerOptions options);

/// What the bridge's trainer gets (rust/src/trainer.rs); for completed options.
nlohmann::json trainer_config(const TokenizerOptions& options);

/// tokenizer_config.json of the trained tokenizer; for completed options.
nlohmann::json trained_config(const TokenizerOptions& options);

/// What is put around a text, in the format of lathe_tokenizer_adjust; for completed options.
nlohmann::json trained_template(const TokenizerOptions& options);

}  // namespace lathe
