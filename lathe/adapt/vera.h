#pragma once

#include "lathe/adapt/options.h"
#include "lathe/adapt/site_module.h"

namespace lathe {

/// What all layers of a VeRA adapter share and nobody trains: A (r, in) and B (out, r) for the
/// widest layer, of which each layer takes the beginning. Undefined until they are drawn or read.
struct VeraProjections {
  Tensor a, b;
};

/// VeRA (Kopiczko et al. 2024, arXiv:2310.11454): y = base(x) + b * (B (d * (A x))), with vectors b
/// and d that are trained.
class Vera final : public SiteModule {
 public:
  Vera(const Site& site, const AdapterOptions& options,
       std::shared_ptr<const VeraProjections> projections);

  std::vector<Tensor> numbers() const override {
    return {a(), lambda_d_, b(), lambda_b_ * strength};
  }
  std::optional<double> idle(size_t i) const override {
    return i == 3 ? std::optional(0.0) : std::nullopt;
  }
  Tensor compute(std::span<const Tensor> numbers, const Tensor& x, const Base& base) const override;
  std::string kind() const override { return "vera"; }
  std::string describe() const override { return format("VeRA, r {}", lambda_d_.numel()); }
  Position position() const override { return Position::beside; }
  std::vector<NamedTensor> tensors() override {
    return {{".vera_lambda_b", &lambda_b_}, {".vera_lambda_d", &lambda_d_}};
  }
  void begin(uint64_t seed) override;
  void merge() const override;

 private:
  Tensor a() const { return projections_->a.narrow(1, 0, site_.in); }
  Tensor b() const { return projections_->b.narrow(0, 0, site_.out); }

  std::shared_ptr<const VeraProjections> projections_;
  Tensor lambda_b_, lambda_d_;  // (out), (r)
  double d_initial_;
};

/// The projections that PEFT draws for layers up to `in` and `out` wide, to the bit: those of
/// torch.nn.init.kaiming_uniform_ with the key as the seed.
VeraProjections draw_projections(const AdapterOptions& options, int64_t in, int64_t out);

}  // namespace lathe
