// Tensors in a file of their own: those of an adapter, a checkpoint, the best weights of a run.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lathe/base/file.h"
#include "lathe/base/tensor.h"

namespace lathe {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// Writes tensors of any device as one safetensors file, in place of one that is there.
void write_tensors(const fs::path& file, const NamedTensors& tensors,
                   const std::map<std::string, std::string>& metadata = {});

/// Fills tensors with what the file has under their names. Throws Error if it has others, or other
/// shapes.
void read_tensors(const fs::path& file, const NamedTensors& tensors);

}  // namespace lathe
