// Text from a model: rows of a batch are decoded together over one cache, and leave it when they
// end.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lathe/generate/options.h"
#include "lathe/generate/prompt_cache.h"
#include "lathe/model/model.h"
#include "lathe/text/tokenizer.h"

namespace lathe {

/// One continuation of a prompt.
struct Completion {
  std::string text;
  std::vector<int64_t> tokens;  ///< new ones, without the one that ended it
  enum class End { eos, stop, length } end = End::length;
};

/// Called with the number of a prompt and text that is final from now on.
using OnText = std::function<void(size_t row, std::string_view text)>;

/// Continues every prompt, given as tokens; `adapters` says which of several each uses (see
/// AdapterInput), and may be empty. Each row draws from a stream of its own, (seed, row):
/// its result does not depend on what is generated beside it. With `kept`, which takes one prompt
/// alone, only what it does not hold yet is read. What the options leave open is drawn as the
/// model's generation_config.json has it. Throws Error if prompt and new tokens do not fit
/// the model's context.
std::vector<Completion> generate(Model& model, const Tokenizer& tokenizer,
                                 const std::vector<std::vector<int64_t>>& prompts,
                                 const SamplingOptions& options, const OnText& on_text = {},
                                 PromptCache* kept = nullptr,
                                 const std::vector<int64_t>& adapters = {});

/// The same for texts. One without tokens begins with the model's bos, or eos where it has none.
std::vector<Completion> generate(Model& model, const Tokenizer& tokenizer,
                                 const std::vector<std::string>& prompts,
                                 const SamplingOptions& options, const OnText& on_text = {},
                                 const std::vector<int64_t>& adapters = {});

}  // namespace lathe
