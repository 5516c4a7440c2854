// Prompts, which adapter each uses, and what continues them.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cli/open_model.h"
#include "lathe/adapt/row_adapters.h"
#include "lathe/generate/options.h"

namespace lathe {

/// A prompt, and the name of the adapter that continues it; empty: none.
struct Prompt {
  std::string text, adapter;
};

/// The rows of a file with "prompt" and maybe "adapter", for which `otherwise` stands in. Throws
/// Error for a row without a prompt.
std::vector<Prompt> read_prompts(const fs::path& path, const std::string& otherwise);

/// The adapters that have names, between which each row of a batch chooses.
class AdapterNames {
 public:
  /// Takes those with names out of `opened`. Throws Error for a name given twice.
  AdapterNames(OpenModel& opened, const std::vector<AdapterUse>& uses);
  /// The choice of each prompt, as generate() takes it. Throws Error for a name that nobody has.
  std::vector<int64_t> chosen_by(const std::vector<Prompt>& prompts) const;

 private:
  std::vector<std::string> names_;
  std::unique_ptr<RowAdapters> rows_;
};

/// How completions are shown.
struct CompletionStyle {
  bool echo;  ///< with the prompt before them
  bool json;  ///< not at all: `all` is printed later
};

/// Each prompt so many times.
std::vector<Prompt> repeated(const std::vector<Prompt>& prompts, int64_t times);

/// Continues prompts in one batch and shows the completions, that of a single prompt as it comes;
/// appends them to the array `all`.
void continue_prompts(OpenModel& opened, const AdapterNames& names,
                      const std::vector<Prompt>& prompts, const SamplingOptions& sampling,
                      const CompletionStyle& style, nlohmann::json& all);

}  // namespace lathe
