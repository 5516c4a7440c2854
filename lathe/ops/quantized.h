// Weights in blocks of a few bits. They stand where other weights stand, as a Tensor of the
// weight's shape that carries the blocks and has no numbers of its own: what lists, names or counts
// weights goes on as before, what computes with them asks for the numbers here, and a libtorch
// operation that is called with such a tensor throws.
#pragma once

#include "lathe/base/tensor.h"

namespace lathe::ops {

/// A matrix whose rows are decoded when they are needed.
class QuantizedMatrix {
 public:
  QuantizedMatrix(int64_t rows, int64_t columns) : rows_(rows), columns_(columns) {}
  virtual ~QuantizedMatrix() = default;
  QuantizedMatrix(const QuantizedMatrix&) = delete;
  QuantizedMatrix& operator=(const QuantizedMatrix&) = delete;

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  /// Such as "NF4" or "Q8_0".
  virtual std::string_view format() const = 0;
  /// What it takes in memory.
  virtual uint64_t bytes() const = 0;
  virtual at::Device device() const = 0;
  /// The same on another device.
  virtual std::shared_ptr<const QuantizedMatrix> to(at::Device device) const = 0;
  /// Writes the rows from `first` on to `out` (count, columns), contiguous, of any floating dtype:
  /// what float32 arithmetic gives, rounded to that.
  virtual void decode(int64_t first, const Tensor& out) const = 0;
  /// The same with the rows of the numbers `ids` (count) int64 on the CPU, each below rows().
  virtual void decode_rows(const Tensor& ids, const Tensor& out) const;

 private:
  int64_t rows_, columns_;
};

/// The matrix as a weight (rows, columns). `dtype` is the one that it is said to have.
Tensor as_weight(std::shared_ptr<const QuantizedMatrix> matrix, at::ScalarType dtype);

/// The matrix behind such a weight; null if the weight is an ordinary tensor.
const QuantizedMatrix* quantized_matrix(const Tensor& weight);
inline bool is_quantized(const Tensor& weight) {
  return quantized_matrix(weight) != nullptr;
}

/// W^T, of a weight of either kind, without a copy.
Tensor transposed(const Tensor& weight);

/// The numbers of a weight of either kind in `dtype`.
Tensor in_dtype(const Tensor& weight, at::ScalarType dtype);

/// Rows of a quantised weight (V, D) by their numbers, int64 of any shape -> (..., D).
Tensor rows_in_dtype(const Tensor& weight, const Tensor& ids, at::ScalarType dtype);

/// Calls f(first, rows (count, D)) for all rows of a weight (V, D) in their order: at once if it is
/// an ordinary tensor, which is not copied if it has the dtype; of a quantised one as many at a
/// time as keep a product near its peak.
void for_row_blocks(const Tensor& weight, at::ScalarType dtype,
                    const std::function<void(int64_t first, const Tensor& rows)>& f);

/// The weight on a device, and what it takes in memory.
Tensor on_device(const Tensor& weight, at::Device device);
uint64_t bytes_of(const Tensor& weight);

}  // namespace lathe::ops
