// The header of a safetensors file: JSON that says for each tensor what it is and where.
//   {"__metadata__": {"format": "pt"},
//    "w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lathe/io/tensor_source.h"

namespace lathe {

/// No header may be longer, as the reference implementation has it.
constexpr uint64_t max_safetensors_header = 100'000'000;

struct SafetensorsHeader {
  std::vector<TensorInfo> tensors;  ///< sorted by name; offsets count from the end of the header
  std::map<std::string, std::string> metadata;
};

/// Parses and checks a header. `data_bytes` is what follows it in the file: the tensors must cover
/// that exactly once, without hole or overlap. Time and memory are linear in the header (but for
/// sorting). Throws Error that names the tensor.
///
/// Stricter than the reference implementation where that lets two readers disagree: a key twice
/// and unknown keys of a tensor are refused.
SafetensorsHeader parse_safetensors_header(std::string_view text, uint64_t data_bytes);

/// The header for `tensors`, which are stored in the order given, one after the other; padded with
/// spaces to a multiple of 8 bytes.
std::string format_safetensors_header(std::span<const TensorView* const> tensors,
                                      const std::map<std::string, std::string>& metadata);

}  // namespace lathe
