#include "lathe/ops/block_matrix.h"

#include "lathe/ops/cpu/for_dtype.h"

namespace lathe::ops {
namespace {

constexpr int64_t numbers_a_task = 1 << 14;
constexpr size_t numbers_at_once = 1024;  // a multiple of the numbers in any format's block

}  // namespace

BlockMatrix::BlockMatrix(const BlockDecoder& decoder, Tensor blocks)
    : QuantizedMatrix(blocks.size(0), blocks.size(1) / decoder.bytes * decoder.elements),
      decoder_(decoder),
      blocks_(std::move(blocks)) {
  require(blocks_.is_contiguous() && blocks_.size(1) % decoder.bytes == 0 &&
              numbers_at_once % static_cast<size_t>(decoder.elements) == 0,
          "{}: expected rows of whole blocks of {} bytes, found {} bytes", decoder.name,
          decoder.bytes, blocks_.size(1));
}

std::shared_ptr<const QuantizedMatrix> BlockMatrix::to(at::Device device) const {
  require(device.is_cpu() || decoder_.composed != nullptr,
          "weights in blocks of {} are decoded on the CPU alone: use --device cpu, or leave out "
          "keep_quantized",
          decoder_.name);
  return std::make_shared<BlockMatrix>(decoder_, blocks_.to(device));
}

void BlockMatrix::decode_composed(const Tensor& rows, const Tensor& out) const {
  out.copy_(decoder_.composed(rows.reshape({-1, decoder_.bytes})).view(out.sizes()));
}

void BlockMatrix::decode_rows(const Tensor& ids, const Tensor& out) const {
  if (blocks_.is_cpu()) return QuantizedMatrix::decode_rows(ids, out);
  decode_composed(blocks_.index_select(0, ids.to(blocks_.device())), out);
}

Tensor decode_q8_0(const Tensor& blocks) {
  const Tensor scales = blocks.narrow(1, 0, 2).contiguous().view(at::kHalf);    // (count, 1)
  const Tensor numbers = blocks.narrow(1, 2, 32).contiguous().view(at::kChar);  // (count, 32)
  return numbers.to(at::kFloat) * scales.to(at::kFloat);
}

void BlockMatrix::decode(int64_t first, const Tensor& out) const {
  if (!blocks_.is_cpu()) return decode_composed(blocks_.narrow(0, first, out.size(0)), out);
  const int64_t blocks_a_row = columns() / decoder_.elements;
  const std::byte* const begin =
      static_cast<const std::byte*>(blocks_.const_data_ptr()) + first * blocks_.size(1);
  const bool handled = cpu::handles(out) && out.scalar_type() != at::kDouble;
  const Tensor numbers = handled ? out : at::empty(out.sizes(), at::kFloat);
  cpu::for_dtype(numbers, [&]<class T>(const cpu::Kernels<T>& kernels, T) {
    T* const y = cpu::elements<T>(numbers);
    at::parallel_for(
        0, out.size(0) * blocks_a_row, numbers_a_task / decoder_.elements,
        [&](int64_t from, int64_t to) {
          float wide[numbers_at_once];
          const auto most = static_cast<int64_t>(numbers_at_once) / decoder_.elements;
          for (int64_t block = from; block < to; block += most) {
            const int64_t count = std::min(most, to - block);
            decoder_.decode(begin + block * decoder_.bytes, static_cast<size_t>(count), wide);
            if constexpr (!std::is_same_v<T, double>)
              kernels.store(wide, y + block * decoder_.elements, count * decoder_.elements);
          }
        });
  });
  if (!handled) out.copy_(numbers);
}

}  // namespace lathe::ops
