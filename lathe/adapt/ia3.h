#pragma once

#include "lathe/adapt/options.h"
#include "lathe/adapt/site_module.h"

namespace lathe {

/// IA3 (Liu et al. 2022, arXiv:2205.05638): y = l * base(x), or at a layer whose input is scaled
/// ("feedforward_modules") y = base(l * x), for each element.
class Ia3 final : public SiteModule {
 public:
  Ia3(const Site& site, const AdapterOptions& options);

  std::vector<Tensor> numbers() const override { return {1 + strength * (l_.flatten() - 1)}; }
  std::optional<double> idle(size_t /*i*/) const override { return 1; }
  Tensor compute(std::span<const Tensor> numbers, const Tensor& x, const Base& base) const override;
  std::string kind() const override { return scales_input_ ? "ia3 input" : "ia3"; }
  std::string describe() const override { return format("IA3, {} factors", l_.numel()); }
  Position position() const override {
    return scales_input_ ? Position::factor_of_input : Position::factor_of_output;
  }
  std::vector<NamedTensor> tensors() override { return {{".ia3_l", &l_}}; }
  void begin(uint64_t seed) override;
  void merge() const override;

 private:
  Tensor l_;  // (1, in) or (out, 1)
  bool scales_input_;
};

}  // namespace lathe
