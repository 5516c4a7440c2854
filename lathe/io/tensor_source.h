// Named tensors in files, whatever the format: listed at no cost, their bytes had when asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lathe/io/dtype.h"

namespace lathe {

/// One tensor of a file. Elements are in row-major order, little-endian.
struct TensorInfo {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;  ///< empty for a single number
  uint64_t offset;             ///< of the first byte; from where depends on the source
  uint64_t bytes;
};

/// Where tensors come from. A format that stores what DType cannot name (blocks of quantised
/// numbers) lists the type that it decodes to.
class TensorSource {
 public:
  virtual ~TensorSource() = default;

  /// All tensors, sorted by name.
  virtual std::span<const TensorInfo> tensors() const = 0;
  /// The bytes of one of `tensors()`: a view of the file where it holds them as they are, else they
  /// are decoded into `scratch`. Valid until the source ends or `scratch` changes.
  virtual std::span<const std::byte> data(const TensorInfo& tensor,
                                          std::vector<std::byte>& scratch) const = 0;
  /// How the file stores one of `tensors()`: the name of its dtype, or of its format of quantised
  /// blocks, such as "Q4_K".
  virtual std::string_view stored_type(const TensorInfo& tensor) const {
    return dtype_name(tensor.dtype);
  }
  /// The bytes that it takes in the file.
  virtual uint64_t stored_bytes(const TensorInfo& tensor) const { return tensor.bytes; }
  /// What the file says about itself.
  virtual const std::map<std::string, std::string>& metadata() const = 0;

  /// The tensor with that name, or nullptr.
  const TensorInfo* find(std::string_view name) const;
  /// The tensor with that name; throws Error with the nearest name if there is none.
  const TensorInfo& at(std::string_view name) const;
};

/// A tensor to be written. Its bytes are given either as `bytes` or, for what should exist only
/// while it is written, by `make`: called once when its turn comes, and its span is used until
/// `make` of the next tensor is called.
struct TensorView {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
  std::function<std::span<const std::byte>()> make = {};
};

/// The index in `sorted` (by name, as TensorSource lists them) of the tensor with that name;
/// `sorted.size()` if there is none.
size_t find_tensor(std::span<const TensorInfo> sorted, std::string_view name);

/// "F32 (3, 4)" for messages.
std::string describe_tensor(DType dtype, std::span<const int64_t> shape);

}  // namespace lathe
