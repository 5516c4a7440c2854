#include "lathe/ops/adamw.h"

#include "lathe/ops/cpu/for_dtype.h"

namespace lathe::ops {
namespace {

constexpr int64_t elements_a_task = 16384;

bool has_kernel(const Tensor& x) {
  return x.is_cpu() && x.is_contiguous() &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
}

template <class F>
void for_optimizer_dtype(const Tensor& x, F&& f) {
  if (x.scalar_type() == at::kDouble) return f(cpu::kernels().optimizer_f64, double());
  return f(cpu::kernels().optimizer_f32, float());
}

}  // namespace

void adamw(const Tensor& weight, const Tensor& gradient, const Tensor& exp_avg,
           const Tensor& exp_avg_sq, const AdamwOptions& o) {
  const double correction1 = 1 - std::pow(o.beta1, static_cast<double>(o.step));
  const double correction2_sqrt = std::sqrt(1 - std::pow(o.beta2, static_cast<double>(o.step)));
  if (!has_kernel(weight)) {
    const Tensor g = gradient * o.gradient_scale;
    weight.mul_(1 - o.learning_rate * o.weight_decay);
    exp_avg.lerp_(g, 1 - o.beta1);
    exp_avg_sq.mul_(o.beta2).addcmul_(g, g, 1 - o.beta2);
    weight.addcdiv_(exp_avg, exp_avg_sq.sqrt().div_(correction2_sqrt).add_(o.eps),
                    -o.learning_rate / correction1);
    gradient.zero_();
    return;
  }
  require(gradient.is_contiguous() && gradient.scalar_type() == weight.scalar_type(),
          "AdamW: expected a contiguous gradient of the weight's dtype");
  for_optimizer_dtype(weight, [&]<class T>(const cpu::OptimizerKernels<T>& kernels, T) {
    const cpu::AdamwStep<T> step{static_cast<T>(o.learning_rate), static_cast<T>(o.beta1),
                                 static_cast<T>(o.beta2),         static_cast<T>(o.eps),
                                 static_cast<T>(o.weight_decay),  static_cast<T>(o.gradient_scale),
                                 static_cast<T>(correction1),     static_cast<T>(correction2_sqrt)};
    at::parallel_for(0, weight.numel(), elements_a_task, [&](int64_t begin, int64_t end) {
      kernels.adamw(cpu::elements<T>(weight) + begin, cpu::elements<T>(gradient) + begin,
                    cpu::elements<T>(exp_avg) + begin, cpu::elements<T>(exp_avg_sq) + begin,
                    end - begin, step);
    });
  });
}

double sum_of_squares(const Tensor& x) {
  if (!has_kernel(x)) return x.to(at::kDouble).square().sum().item<double>();
  const int64_t tasks = (x.numel() + elements_a_task - 1) / elements_a_task;
  std::vector<double> partial(static_cast<size_t>(tasks));
  for_optimizer_dtype(x, [&]<class T>(const cpu::OptimizerKernels<T>& kernels, T) {
    at::parallel_for(0, tasks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t from = task * elements_a_task;
        partial[static_cast<size_t>(task)] = kernels.sum_of_squares(
            cpu::elements<T>(x) + from, std::min(elements_a_task, x.numel() - from));
      }
    });
  });
  double sum = 0;
  for (const double part : partial) sum += part;
  return sum;
}

}  // namespace lathe::ops
