// PEFT's adapter_config.json.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "lathe/adapt/files.h"

namespace lathe {

/// What a configuration of PEFT says. Throws Error for a kind that is not known, and for settings
/// that would change what it computes and are not known.
AdapterOptions options_from_peft(const nlohmann::json& config);

/// The configuration that PEFT reads.
nlohmann::json peft_config(const AdapterOptions& options, const std::vector<Site>& sites,
                           const AdapterFacts& facts);

}  // namespace lathe
