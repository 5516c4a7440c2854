#pragma once

#include "lathe/adapt/options.h"
#include "lathe/adapt/site_module.h"
#include "lathe/ops/activation.h"

namespace lathe {

/// A narrow MLP, A(z) = scaling * (f(z D^T + d) U^T + u), behind or beside what is at a site, with
/// x what that reads and y what it gives:
///   behind it (Houlsby et al. 2019, arXiv:1902.00751)       y + A(y)
///   behind the addition (Pfeiffer et al. 2020, 2005.00247)  y + A(x + y), at attention and MLP,
///                                                           whose y is added to x
///   beside it (He et al. 2022, arXiv:2110.04366)            y + A(x)
/// as AdapterHub's `adapters` computes them. U begins as zeros, so that the model is what it was.
class Bottleneck final : public SiteModule {
 public:
  Bottleneck(const Site& site, const AdapterOptions& options);

  std::vector<Tensor> numbers() const override;
  std::optional<double> idle(size_t i) const override {
    return i >= 2 ? std::optional(0.0) : std::nullopt;
  }
  Tensor compute(std::span<const Tensor> numbers, const Tensor& x, const Base& base) const override;
  std::string kind() const override;
  std::string describe() const override;
  Position position() const override {
    if (parallel_) return Position::beside;
    return behind_addition_ ? Position::behind_addition : Position::behind;
  }
  std::vector<NamedTensor> tensors() override;
  void begin(uint64_t seed) override;
  [[noreturn]] void require_mergeable() const override;
  void merge() const override {}

 private:
  Tensor down_, down_bias_;  // (b, width), (b)
  Tensor up_, up_bias_;      // (out, b), (out)
  Tensor learned_scaling_;   // (1), or undefined
  double scaling_ = 1;
  ops::Activation activation_;
  bool parallel_, behind_addition_;
  std::string init_weights_;
};

}  // namespace lathe
