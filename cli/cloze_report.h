#pragma once

#include <string>
#include <vector>

#include "lathe/model/model.h"
#include "lathe/text/tokenizer.h"

namespace lathe {

/// How many cloze questions a model answers rightly, by the likeliest choice and by the likeliest a
/// byte. Each file has rows as cloze_question wants them.
std::string cloze_report(Model& model, const Tokenizer& tokenizer,
                         const std::vector<std::string>& files, bool json);

}  // namespace lathe
