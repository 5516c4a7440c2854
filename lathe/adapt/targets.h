// Which places of a model the settings of an adapter mean.
#pragma once

#include "lathe/adapt/options.h"
#include "lathe/model/model.h"

namespace lathe {

/// Whether a pattern means a module. A pattern is, as in PEFT, the module's name or its end behind
/// a dot ("q_proj", "0.mlp"); or a glob for the whole name ("*.layers.[0-3].mlp"); or, with any
/// other sign of them, a regular expression for the whole name ("model\.layers\.(0|1)\..*_proj"),
/// whose time is linear in the name's length. Throws Error for an expression that is none.
bool matches(const std::string& pattern, const std::string& module);
bool matches_any(const std::vector<std::string>& patterns, const std::string& module);

/// Whether adapters of a kind may sit at sites of another.
bool may_sit(const AdapterOptions& options, SiteKind kind);

/// What target_modules are where nothing is said: those that PEFT or AdapterHub take.
std::vector<std::string> default_targets(const AdapterOptions& options, Model& model);

/// The sites that the settings mean, in the model's order. Throws Error if an entry of
/// target_modules means none, or exclude_modules, layers_to_transform and modules_to_save, which
/// are trained whole, leave none.
std::vector<Site> target_sites(const AdapterOptions& options, Model& model);

/// The weights that are trained and saved with the adapter because modules_to_save or bias say so,
/// or because they are the output layer of a classifier, which is new. `sites` are those of the
/// adapter. Throws Error if an entry of modules_to_save means nothing.
std::vector<NamedTensor> saved_weights(const AdapterOptions& options, Model& model,
                                       const std::vector<Site>& sites);

/// Whether PEFT reads a pattern as Lathe does, as the end of a name.
bool is_plain(const std::string& pattern);

/// The patterns as PEFT knows them, ends of names: a glob or an expression becomes the modules that
/// it means, to which some of `weights` belong.
std::vector<std::string> plain_names(const std::vector<std::string>& patterns,
                                     const std::vector<NamedTensor>& weights);

}  // namespace lathe
