#pragma once

#include <atomic>
#include <nlohmann/json.hpp>

#include "cli/open_model.h"
#include "lathe/generate/generate.h"
#include "lathe/text/chat_template.h"

namespace lathe {

/// A conversation with a model, in the form of the model's own chat template.
class Conversation {
 public:
  /// `system` is what the model is told first; may be empty. Throws Error if the model has no
  /// template; `name` is what the message calls it.
  Conversation(OpenModel opened, std::string system, const std::string& name);

  /// Begins anew.
  void forget();
  /// Shows the answer to `text` on standard output as it comes, and remembers both. It ends early
  /// when `interrupted` becomes true. Throws Error, and forgets `text`, if the model's context is
  /// full.
  void say(const std::string& text, SamplingOptions sampling, std::atomic<bool>& interrupted);

 private:
  std::vector<int64_t> encode() const;

  OpenModel opened_;
  std::string system_;
  ChatTemplates templates_;
  nlohmann::json messages_;
  PromptCache kept_;
};

}  // namespace lathe
