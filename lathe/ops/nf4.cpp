#include "lathe/ops/nf4.h"

#include "lathe/ops/cpu/for_dtype.h"

namespace lathe::ops {
namespace {

constexpr int64_t block_size = 64, blocks_a_step = 256;
constexpr int64_t blocks_a_task = 256;
constexpr uint8_t zero = 7;  // the code of 0

/// The place of the value that is nearest to x in ascending `values`; the lower of two.
template <size_t n>
uint8_t nearest_level(const float* values, float x) {
  size_t at = 0;  // the first value that is not below x, or the last
  for (size_t step = n / 2; step > 0; step /= 2)
    if (values[at + step - 1] < x) at += step;
  if (at > 0 && x - values[at - 1] <= values[at] - x) --at;
  return static_cast<uint8_t>(at);
}

/// Codes of the numbers of a block, and its magnitude.
float encode_block(const float* x, int64_t count, uint8_t* codes) {
  float magnitude = 0, not_finite = 0;
  for (int64_t i = 0; i < count; ++i) {
    magnitude = std::max(magnitude, std::abs(x[i]));
    not_finite += x[i] * 0;  // a NaN from there on
  }
  const float factor = magnitude > 0 ? 1 / magnitude : 0;
  uint8_t code[block_size + 1];
  code[count] = zero;  // where a last byte has one number
  for (int64_t i = 0; i < count; ++i)
    code[i] = nearest_level<16>(nf4_values.data(), std::clamp(x[i] * factor, -1.0F, 1.0F));
  for (int64_t i = 0; i < count; i += 2)
    codes[i / 2] = static_cast<uint8_t>(code[i] << 4 | code[i + 1]);
  return magnitude + not_finite;
}

int64_t parts(int64_t count, int64_t size) {
  return (count + size - 1) / size;
}

}  // namespace

Tensor dynamic_values() {
  std::vector<Tensor> all = {at::zeros({1}), at::ones({1})};
  for (int64_t decade = 0; decade < 7; ++decade) {
    const int64_t count = int64_t{1} << decade;
    const Tensor borders = at::linspace(0.1, 1, count + 1, at::kFloat);
    const Tensor means = (borders.narrow(0, 0, count) + borders.narrow(0, 1, count)) / 2;
    const Tensor values = means * std::pow(10.0, static_cast<double>(decade - 6));
    all.push_back(values);
    all.push_back(-values);
  }
  return std::get<0>(at::cat(all).sort());
}

Nf4Matrix::Nf4Matrix(int64_t rows, int64_t columns, Tensor codes, Tensor scales, Tensor steps,
                     float offset)
    : QuantizedMatrix(rows, columns),
      codes_(std::move(codes)),
      scales_(std::move(scales)),
      steps_(std::move(steps)),
      values_(dynamic_values().to(codes_.device())),
      offset_(offset) {}

std::shared_ptr<const Nf4Matrix> Nf4Matrix::encode(const Tensor& numbers) {
  const at::NoGradGuard no_grad;
  require(numbers.dim() == 2 && numbers.is_cpu() && numbers.is_floating_point(),
          "NF4: expected a matrix of floating point numbers on the CPU, found {}", numbers.sizes());
  const Tensor flat = numbers.detach().contiguous().view({-1});
  const int64_t count = flat.numel(), blocks = parts(count, block_size);
  const Tensor codes = at::zeros({parts(count, 2)}, at::kByte), magnitudes = at::empty({blocks});
  at::parallel_for(0, blocks, blocks_a_task, [&](int64_t begin, int64_t end) {
    const at::NoGradGuard no_grad_here;
    for (int64_t first = begin; first < end; first += blocks_a_task) {  // few are widened at a time
      const int64_t last = std::min(end, first + blocks_a_task), from = first * block_size;
      const Tensor wide =
          flat.narrow(0, from, std::min(count, last * block_size) - from).to(at::kFloat);
      for (int64_t block = first; block < last; ++block)
        magnitudes.mutable_data_ptr<float>()[block] =
            encode_block(wide.const_data_ptr<float>() + block * block_size - from,
                         std::min(block_size, count - block * block_size),
                         codes.mutable_data_ptr<uint8_t>() + block * block_size / 2);
    }
  });
  const float offset = blocks > 0 ? magnitudes.mean().item<float>() : 0;
  require(std::isfinite(offset), "there are numbers that NF4 cannot hold (NaN or infinity)");
  magnitudes.sub_(offset);
  const Tensor scales = at::empty({blocks}, at::kByte);
  const Tensor steps = at::empty({parts(blocks, blocks_a_step)}), values = dynamic_values();
  for (int64_t first = 0; first < blocks; first += blocks_a_step) {
    const Tensor some = magnitudes.narrow(0, first, std::min(blocks_a_step, blocks - first));
    const auto step = some.abs().max().item<float>();
    steps.mutable_data_ptr<float>()[first / blocks_a_step] = step;
    for (int64_t i = 0; i < some.numel(); ++i)
      scales.mutable_data_ptr<uint8_t>()[first + i] =
          nearest_level<256>(values.const_data_ptr<float>(),
                             step > 0 ? some.const_data_ptr<float>()[i] * (1 / step) : 0);
  }
  return std::shared_ptr<const Nf4Matrix>(
      new Nf4Matrix(numbers.size(0), numbers.size(1), codes, scales, steps, offset));
}

uint64_t Nf4Matrix::bytes() const {
  return codes_.nbytes() + scales_.nbytes() + steps_.nbytes() + sizeof offset_;
}

std::shared_ptr<const QuantizedMatrix> Nf4Matrix::to(at::Device device) const {
  return std::shared_ptr<const Nf4Matrix>(new Nf4Matrix(
      rows(), columns(), codes_.to(device), scales_.to(device), steps_.to(device), offset_));
}

void Nf4Matrix::decode(int64_t first, const Tensor& out) const {
  const int64_t begin = first * columns(), end = begin + out.numel();
  if (!cpu::handles(out)) return decode_composed(begin, out);
  const uint8_t* const codes = codes_.const_data_ptr<uint8_t>();
  const uint8_t* const scales = scales_.const_data_ptr<uint8_t>();
  const float* const steps = steps_.const_data_ptr<float>();
  const float* const values = values_.const_data_ptr<float>();
  cpu::for_dtype(out, [&]<class T>(const cpu::Kernels<T>& kernels, T) {
    T* const y = cpu::elements<T>(out);
    at::parallel_for(
        begin / block_size, parts(end, block_size), blocks_a_task, [&](int64_t from, int64_t to) {
          for (int64_t block = from; block < to; ++block) {
            const int64_t start = block * block_size, stop = start + block_size;
            const float scale = values[scales[block]] * steps[block / blocks_a_step] + offset_;
            if (start >= begin && stop <= end) {
              kernels.look_up(codes + start / 2, nf4_values.data(), scale, y + start - begin,
                              block_size / 2);
              continue;
            }
            // A row may begin or end within a block, and within a byte.
            T part[block_size];
            const int64_t there = std::min(stop, rows() * columns()) - start;
            kernels.look_up(codes + start / 2, nf4_values.data(), scale, part, parts(there, 2));
            const int64_t low = std::max(begin, start), high = std::min(end, stop);
            std::copy(part + low - start, part + high - start, y + low - begin);
          }
        });
  });
}

void Nf4Matrix::decode_composed(int64_t begin, const Tensor& out) const {
  const int64_t end = begin + out.numel();
  const int64_t first = begin / block_size, blocks = parts(end, block_size) - first;
  const auto on_device = [&](at::ScalarType dtype) { return codes_.options().dtype(dtype); };
  const int64_t begin_byte = first * block_size / 2;
  const int64_t bytes = std::min(codes_.numel() - begin_byte, blocks * block_size / 2);
  const Tensor pairs = codes_.narrow(0, begin_byte, bytes);
  const Tensor code =
      at::stack({pairs.bitwise_right_shift(4), pairs.bitwise_and(15)}, 1).view({-1}).to(at::kInt);
  const Tensor book = at::tensor(at::ArrayRef<float>(nf4_values), at::kFloat).to(codes_.device());
  const Tensor block = at::arange(first, first + blocks, on_device(at::kLong));
  const Tensor scale = values_.index_select(0, scales_.narrow(0, first, blocks).to(at::kInt)) *
                           steps_.index_select(0, block.div(blocks_a_step, "floor")) +
                       offset_;
  const Tensor numbers =
      book.index_select(0, code) * scale.repeat_interleave(block_size).narrow(0, 0, code.numel());
  out.view({-1}).copy_(numbers.narrow(0, begin - first * block_size, out.numel()));
}

}  // namespace lathe::ops
