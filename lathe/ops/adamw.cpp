#include "lathe/ops/adamw.h"

#include "lathe/ops/cpu/for_dtype.h"

namespace lathe::ops {
namespace {

constexpr int64_t weights_a_task = 16384;

bool optimizer_has_kernel(const Tensor& x) {
  return x.is_cpu() && x.is_contiguous() &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
}

/// What the moving averages are divided by, because they began at zero.
struct Corrections {
  double first, second_sqrt;
};

template <class F>
void for_optimizer_dtype(const Tensor& x, F&& f) {
  if (x.scalar_type() == at::kDouble) return f(cpu::kernels().optimizer_f64, double());
  return f(cpu::kernels().optimizer_f32, float());
}

/// The step of one weight by the kernels.
void step(const Tensor& weight, const Tensor& gradient, const Tensor& exp_avg,
          const Tensor& exp_avg_sq, const AdamwOptions& o, const Corrections& by) {
  require(gradient.is_contiguous() && gradient.scalar_type() == weight.scalar_type(),
          "AdamW: expected a contiguous gradient of the weight's dtype");
  for_optimizer_dtype(weight, [&]<class T>(const cpu::OptimizerKernels<T>& kernels, T) {
    const cpu::AdamwStep<T> step{static_cast<T>(o.learning_rate), static_cast<T>(o.beta1),
                                 static_cast<T>(o.beta2),         static_cast<T>(o.eps),
                                 static_cast<T>(o.weight_decay),  static_cast<T>(o.gradient_scale),
                                 static_cast<T>(by.first),        static_cast<T>(by.second_sqrt)};
    at::parallel_for(0, weight.numel(), weights_a_task, [&](int64_t begin, int64_t end) {
      kernels.adamw(cpu::elements<T>(weight) + begin, cpu::elements<T>(gradient) + begin,
                    cpu::elements<T>(exp_avg) + begin, cpu::elements<T>(exp_avg_sq) + begin,
                    end - begin, step);
    });
  });
}

/// The step of all weights at once, by libtorch.
void fused(at::TensorList weights, at::TensorList gradients, at::TensorList exp_avgs,
           at::TensorList exp_avg_sqs, const AdamwOptions& o) {
  const at::TensorOptions scalar = weights[0].options().dtype(at::kFloat);
  const std::vector<Tensor> steps(weights.size(),
                                  at::full({}, static_cast<double>(o.step), scalar));
  std::optional<Tensor> divisor;  // of the gradients
  if (o.gradient_scale != 1) divisor = at::full({}, 1 / o.gradient_scale, scalar);
  at::_fused_adamw_(weights, gradients, exp_avgs, exp_avg_sqs, {}, steps, o.learning_rate, o.beta1,
                    o.beta2, o.weight_decay, o.eps, /*amsgrad=*/false, /*maximize=*/false, divisor);
  at::_foreach_zero_(gradients);
}

/// The sum of the squares of all elements by the kernels.
double sum_of_squares(const Tensor& x) {
  const int64_t tasks = (x.numel() + weights_a_task - 1) / weights_a_task;
  std::vector<double> partial(static_cast<size_t>(tasks));
  for_optimizer_dtype(x, [&]<class T>(const cpu::OptimizerKernels<T>& kernels, T) {
    at::parallel_for(0, tasks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t from = task * weights_a_task;
        partial[static_cast<size_t>(task)] = kernels.sum_of_squares(
            cpu::elements<T>(x) + from, std::min(weights_a_task, x.numel() - from));
      }
    });
  });
  double sum = 0;
  for (const double part : partial) sum += part;
  return sum;
}

}  // namespace

void adamw(at::TensorList weights, at::TensorList gradients, at::TensorList exp_avgs,
           at::TensorList exp_avg_sqs, const AdamwOptions& o) {
  if (weights.empty()) return;
  if (!optimizer_has_kernel(weights[0])) return fused(weights, gradients, exp_avgs, exp_avg_sqs, o);
  const double step_number = static_cast<double>(o.step);
  const Corrections by{1 - std::pow(o.beta1, step_number),
                       std::sqrt(1 - std::pow(o.beta2, step_number))};
  for (size_t i = 0; i < weights.size(); ++i)
    step(weights[i], gradients[i], exp_avgs[i], exp_avg_sqs[i], o, by);
}

double norm(at::TensorList list) {
  if (list.empty()) return 0;
  if (!optimizer_has_kernel(list[0]))
    return at::stack(at::_foreach_norm(list, 2, at::kDouble)).norm().item<double>();
  double sum = 0;
  for (const Tensor& x : list) sum += sum_of_squares(x);
  return std::sqrt(sum);
}

}  // namespace lathe::ops
