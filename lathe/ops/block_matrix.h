#pragma once

#include "lathe/ops/quantized.h"

namespace lathe::ops {

/// A format whose blocks a function decodes, such as those of ggml (lathe/io/quant.h).
struct BlockDecoder {
  std::string_view name;  ///< lives as long as the program
  int64_t elements;       ///< numbers in a block
  int64_t bytes;          ///< of a block
  void (*decode)(const std::byte* blocks, size_t count, float* out);
  /// The same by operations of libtorch, on any device: blocks (count, bytes) uint8 -> (count,
  /// elements) float32. Null: the format is for the CPU alone.
  Tensor (*composed)(const Tensor& blocks) = nullptr;
};

/// `composed` of ggml's Q8_0: a float16 and 32 numbers of 8 bits, which it multiplies.
Tensor decode_q8_0(const Tensor& blocks);

/// Rows of whole blocks.
class BlockMatrix final : public QuantizedMatrix {
 public:
  /// blocks (rows, bytes of a row) uint8, contiguous.
  BlockMatrix(const BlockDecoder& decoder, Tensor blocks);

  std::string_view format() const override { return decoder_.name; }
  uint64_t bytes() const override { return blocks_.nbytes(); }
  at::Device device() const override { return blocks_.device(); }
  std::shared_ptr<const QuantizedMatrix> to(at::Device device) const override;
  void decode(int64_t first, const Tensor& out) const override;
  void decode_rows(const Tensor& ids, const Tensor& out) const override;

 private:
  void decode_composed(const Tensor& rows, const Tensor& out) const;

  BlockDecoder decoder_;
  Tensor blocks_;
};

}  // namespace lathe::ops
