#include "lathe/ops/activation.h"

namespace lathe::ops {
namespace {

struct Name {
  const char* name;
  Activation activation;
};

/// Several names stand for formulas that differ in rounding only.
constexpr Name names[] = {
    {"silu", Activation::silu},
    {"swish", Activation::silu},
    {"gelu", Activation::gelu},
    {"gelu_python", Activation::gelu},
    {"gelu_new", Activation::gelu_tanh},
    {"gelu_fast", Activation::gelu_tanh},
    {"gelu_pytorch_tanh", Activation::gelu_tanh},
    {"gelu_python_tanh", Activation::gelu_tanh},
    {"quick_gelu", Activation::quick_gelu},
    {"relu", Activation::relu},
    {"relu2", Activation::relu2},
};

}  // namespace

Activation activation_named(std::string_view name) {
  std::vector<std::string> known;
  for (const Name& candidate : names) {
    if (name == candidate.name) return candidate.activation;
    known.emplace_back(candidate.name);
  }
  fail("no activation is called \"{}\"; there are {}", name, fmt::join(known, ", "));
}

Tensor activate(const Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::silu:
      return at::silu(x);
    case Activation::gelu:
      return at::gelu(x);
    case Activation::gelu_tanh:
      return at::gelu(x, "tanh");
    case Activation::quick_gelu:
      return x * at::sigmoid(1.702 * x);
    case Activation::relu:
      return at::relu(x);
    case Activation::relu2:
      return at::relu(x).square();
  }
  fail("activation {} is not known", static_cast<int>(activation));
}

}  // namespace lathe::ops
