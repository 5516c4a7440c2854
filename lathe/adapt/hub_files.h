// The adapter_config.json of AdapterHub's `adapters`, which bottlenecks are kept in.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "lathe/adapt/files.h"

namespace lathe {

/// Whether the configuration is one of `adapters`.
bool is_hub_config(const nlohmann::json& config);

/// What it says. Throws Error for another kind than bottlenecks, and for settings that would change
/// what they compute and are not known.
AdapterOptions options_from_hub(const nlohmann::json& config);

/// The configuration that `adapters` reads. Where it has no words for the sites, they are named
/// under "lathe", and `missing` says so.
nlohmann::json hub_config(const AdapterOptions& options, const std::vector<Site>& sites,
                          const AdapterFacts& facts, std::string& missing);

/// "model.layers.0.output_adapters.adapters.NAME" for the MLP of a layer, and so on.
std::string hub_prefix(const AdapterOptions& options, const Site& site);

}  // namespace lathe
