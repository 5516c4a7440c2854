#pragma once

#include "lathe/ops/quantized.h"

namespace lathe::ops {

/// A format whose blocks a function decodes, such as those of ggml (lathe/io/quant.h).
struct BlockDecoder {
  std::string_view name;  ///< lives as long as the program
  int64_t elements;       ///< numbers in a block
  int64_t bytes;          ///< of a block
  void (*decode)(const std::byte* blocks, size_t count, float* out);
};

/// Rows of whole blocks, on the CPU.
class BlockMatrix final : public QuantizedMatrix {
 public:
  /// blocks (rows, bytes of a row) uint8, contiguous.
  BlockMatrix(const BlockDecoder& decoder, Tensor blocks);

  std::string_view format() const override { return decoder_.name; }
  uint64_t bytes() const override { return blocks_.nbytes(); }
  at::Device device() const override { return blocks_.device(); }
  std::shared_ptr<const QuantizedMatrix> to(at::Device device) const override;
  void decode(int64_t first, const Tensor& out) const override;

 private:
  BlockDecoder decoder_;
  Tensor blocks_;
};

}  // namespace lathe::ops
