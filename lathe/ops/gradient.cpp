#include "lathe/ops/gradient.h"

#include "lathe/ops/cpu/for_dtype.h"

namespace lathe::ops {
namespace {

constexpr int64_t elements_a_task = 16384;

/// Whether the kernels add elements like those of `x` to elements like those of `sum`.
bool has_kernel(const Tensor& sum, const Tensor& x) {
  return cpu::handles(x) && sum.is_cpu() && sum.is_contiguous() && x.is_contiguous() &&
         sum.scalar_type() == cpu::accumulate_dtype(x.scalar_type());
}

}  // namespace

bool holds_gradient(const Tensor& weight) {
  // Only leaves of the graph do; asking others for theirs is an error to libtorch.
  return weight.is_leaf() && weight.grad().defined();
}

Tensor product(const Tensor& a, const Tensor& b, at::ScalarType wide) {
  const bool widens = a.is_cuda() && wide == at::kFloat && a.scalar_type() == at::kBFloat16;
  return widens ? at::mm(a.t(), b, wide) : at::mm(a.t(), b);
}

void add_scaled(const Tensor& sum, const Tensor& x, double factor) {
  if (!has_kernel(sum, x)) {
    sum.add_(x, factor);
    return;
  }
  cpu::for_dtype(x, [&]<class T>(const cpu::Kernels<T>& kernels, T) {
    using A = cpu::Accumulate<T>;
    at::parallel_for(0, x.numel(), elements_a_task, [&](int64_t begin, int64_t end) {
      kernels.add_scaled(cpu::elements<A>(sum) + begin, cpu::elements<T>(x) + begin,
                         static_cast<A>(factor), end - begin);
    });
  });
}

Tensor accumulate_gradient(const Tensor& weight, const Tensor& gradient, double scale) {
  if (holds_gradient(weight)) {
    add_scaled(weight.grad(), gradient, scale);
    return {};
  }
  return (scale == 1 ? gradient : gradient * scale).to(weight.scalar_type());
}

Tensor accumulate_row_gradient(const Tensor& weight, const Tensor& ids, const Tensor& gradient) {
  const bool held = holds_gradient(weight);
  const Tensor sum = held ? weight.grad() : at::zeros_like(weight);
  if (!has_kernel(sum, gradient)) {
    // Sorts the rows on a GPU, so that they are added in the same order in every run.
    sum.index_put_({ids}, gradient.to(sum.scalar_type()), /*accumulate=*/true);
  } else {
    const int64_t width = weight.size(1);
    const int64_t* id = ids.const_data_ptr<int64_t>();
    // In order and on one thread: rows repeat, and the sum must be the same in every run.
    cpu::for_dtype(gradient, [&]<class T>(const cpu::Kernels<T>& kernels, T) {
      for (int64_t n = 0; n < ids.numel(); ++n)
        kernels.add_scaled(cpu::elements<cpu::Accumulate<T>>(sum) + id[n] * width,
                           cpu::elements<T>(gradient) + n * width, 1, width);
    });
  }
  return held ? Tensor() : sum;
}

}  // namespace lathe::ops
