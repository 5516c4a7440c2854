#include "lathe/io/dtype.h"

#include <array>
#include <limits>

namespace lathe {
namespace {

struct Entry {
  std::string_view name;
  int bits;
};

constexpr std::array<Entry, 22> entries = {{
    {"BOOL", 8},        {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
    {"I8", 8},          {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
    {"F8_E5M2FNUZ", 8}, {"I16", 16},    {"U16", 16},    {"F16", 16},    {"BF16", 16},
    {"I32", 32},        {"U32", 32},    {"F32", 32},    {"C64", 64},    {"F64", 64},
    {"I64", 64},        {"U64", 64},
}};
static_assert(entries.size() == static_cast<size_t>(DType::U64) + 1);

}  // namespace

std::string_view dtype_name(DType dtype) {
  return entries[static_cast<size_t>(dtype)].name;
}

std::optional<DType> find_dtype(std::string_view name) {
  for (size_t i = 0; i < entries.size(); ++i)
    if (entries[i].name == name) return static_cast<DType>(i);
  return std::nullopt;
}

int dtype_bits(DType dtype) {
  return entries[static_cast<size_t>(dtype)].bits;
}

std::optional<uint64_t> tensor_bytes(DType dtype, std::span<const int64_t> shape) {
  constexpr int64_t largest = std::numeric_limits<int64_t>::max();
  // Strides are products as well, also those of an empty tensor: they must not overflow later.
  int64_t product = 1;
  bool empty = false;
  for (const int64_t size : shape) {
    if (size < 0) return std::nullopt;
    if (size == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(product, size, &product)) {
      return std::nullopt;
    }
  }
  const int64_t elements = empty ? 0 : product;
  const int bits = dtype_bits(dtype);
  if (elements > largest / bits) return std::nullopt;
  if (elements * bits % 8 != 0) return std::nullopt;
  return static_cast<uint64_t>(elements * bits / 8);
}

}  // namespace lathe
