// The element types that weight files name.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace lathe {

/// Element types of the safetensors format, named as there and in its order, by which its writers
/// sort. Those of less than a byte (F4, F6_*) can be listed and copied, not computed with.
enum class DType {
  BOOL,
  F4,
  F6_E2M3,
  F6_E3M2,
  U8,
  I8,
  F8_E5M2,
  F8_E4M3,
  F8_E8M0,
  F8_E4M3FNUZ,
  F8_E5M2FNUZ,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  C64,
  F64,
  I64,
  U64,
};

/// The name in files, such as "BF16".
std::string_view dtype_name(DType dtype);

/// The type with that name, if there is one. Names are in capitals.
std::optional<DType> find_dtype(std::string_view name);

/// Bits of one element: 4 to 64.
int dtype_bits(DType dtype);

/// The bytes of a tensor, of any rank. Nothing if a dimension is negative, if the elements (those
/// of an empty tensor counted without its zeros) or the bytes are beyond 63 bits, or if
/// elements of less than a byte do not fill the last byte.
std::optional<uint64_t> tensor_bytes(DType dtype, std::span<const int64_t> shape);

}  // namespace lathe
