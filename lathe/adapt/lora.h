#pragma once

#include "lathe/model/site.h"

namespace lathe {

/// LoRA (Hu et al. 2021, arXiv:2106.09685): y = base(x) + scale * (x A^T) B^T.
/// DoRA (Liu et al. 2024, arXiv:2402.09353), where there is a magnitude m: with the weight W' = W +
/// scale * B A that this is, y = m / |W'| * x W'^T, |W'| being the norms of its rows, through which
/// no gradient goes.
class Lora final : public SiteAdapter {
 public:
  Tensor a;          // (r, in) float32
  Tensor b;          // (out, r) float32
  Tensor magnitude;  // (out) float32, or undefined
  double scale = 1;

  /// For `site`, whose layer must live as long as this.
  explicit Lora(const Site& site) : site_(site) {}

  Tensor operator()(const Tensor& x, const Base& base) const override;
  /// What is added to the weight of the layer, in its shape, float32. Of DoRA what makes it the
  /// scaled one.
  Tensor weight_change() const;

 private:
  /// m / |W + scale * B A|: (out).
  Tensor row_factors() const;

  Site site_;
};

}  // namespace lathe
