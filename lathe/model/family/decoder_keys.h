// What the families that share the data flow of Llama have in common in their config.json.
#pragma once

#include "lathe/model/family/family.h"

namespace lathe {

/// Reads sizes, norm, initial weights, tied embeddings, activation and rotary embedding. What
/// `config` holds before is the default.
void read_decoder(ConfigKeys& keys, ModelConfig& config);
/// Writes the same.
void write_decoder(const ModelConfig& config, nlohmann::json& object);
/// Sets the activation if nothing has. Throws Error if part of a head is not rotated, unless the
/// family has that.
void complete_decoder(ModelConfig& config, bool partial_rotary);
/// The same for families without.
void complete_decoder(ModelConfig& config);
/// The decoder that is driven by the configuration.
std::unique_ptr<Model> build_decoder(const ModelConfig& config);

/// Rotary embedding: `rope_parameters` of transformers 5 (keyed by the type of layer where the
/// family has local_rope_parameters), or `rope_theta`, `rope_scaling`, `partial_rotary_factor`,
/// `rope_local_base_freq` of transformers 4. What `config` holds before is the default.
void read_rope(ConfigKeys& keys, ModelConfig& config);
/// Writes the same, but for local layers.
void write_rope(const ModelConfig& config, nlohmann::json& object);
/// The members of `rope_parameters`, or without theta of `rope_scaling`.
nlohmann::json rope_object(const RopeParameters& rope, bool with_theta);

/// `layer_types`, and with its switch the window of families that have `use_sliding_window`.
void read_switched_window(ConfigKeys& keys, ModelConfig& config);
/// layer_types as config.json lists them, also where all layers are of one type.
std::vector<std::string> listed_layer_types(const ModelConfig& config);
/// Types of layers where every layer but each `every`-th one is local.
std::vector<std::string> every_nth_global(int64_t layers, int64_t every);
/// A value, or null if there is none.
nlohmann::json or_null(const std::optional<int64_t>& value);
nlohmann::json or_null(const std::optional<double>& value);

}  // namespace lathe
