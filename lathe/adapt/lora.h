#pragma once

#include "lathe/adapt/options.h"
#include "lathe/adapt/site_module.h"

namespace lathe {

/// LoRA (Hu et al. 2021, arXiv:2106.09685): y = base(x) + scale * ((x A^T) B^T + b), b where there
/// is one. At an embedding x A^T are the columns of A that the tokens name.
///
/// DoRA (Liu et al. 2024, arXiv:2402.09353), where there is a magnitude m: with the weight W' = W +
/// scale * B A that this is, y = m / |W'| * x W'^T, |W'| being the norms of its rows, through which
/// no gradient goes.
///
/// PiSSA (Meng et al. 2024, arXiv:2404.02948), where there is an origin: A and B begin as the
/// largest singular directions A0, B0 of the weight, of which the layer keeps the rest: y =
/// base(x) + scale * (B A - B0 A0) x. The layer's weight stays as it is; in files the difference is
/// an adapter of twice the rank.
class Lora final : public SiteModule {
 public:
  /// Places in numbers(): y = base(x) + (factors - 1) * W x + (x down^T) up^T + up_bias + (x
  /// down2^T) up2^T. Factors are DoRA's, the second pair PiSSA's.
  enum : size_t { down, up, up_bias, factors, down2, up2 };

  /// Rank and scale are those of the site.
  Lora(const Site& site, const AdapterOptions& options);

  std::vector<Tensor> numbers() const override;
  std::optional<double> idle(size_t i) const override {
    if (i == down || i == down2) return std::nullopt;
    return i == factors ? 1 : 0;
  }
  Tensor compute(std::span<const Tensor> numbers, const Tensor& x, const Base& base) const override;
  std::string kind() const override { return "lora"; }
  std::string describe() const override;
  Position position() const override { return Position::beside; }
  std::vector<NamedTensor> tensors() override;
  std::vector<std::pair<std::string, Tensor>> saved() override;
  void begin(uint64_t seed) override;
  void loaded() override;
  void require_mergeable() const override;
  void merge() const override;

 private:
  /// Sets A0 and B0 to the largest singular directions of the layer's weight.
  void find_origin();
  bool embeds() const { return site_.kind == SiteKind::embedding; }
  /// scale * B A (out, in).
  Tensor product() const;
  /// |W + scale * B A|: (out), without gradient; kept for as long as nothing of it changes.
  Tensor row_norms() const;
  /// m / |W + scale * B A|: (out).
  Tensor row_factors() const { return magnitude_ / row_norms(); }

  Tensor a_;                    // (r, in)
  Tensor b_;                    // (out, r)
  Tensor bias_;                 // (out), or undefined
  Tensor magnitude_;            // (out), or undefined
  Tensor origin_a_, origin_b_;  // (r, in), (out, r), or undefined
  double scale_;
  bool principal_;
  mutable Tensor norms_;                   // the last row_norms(),
  mutable std::vector<int64_t> norms_of_;  // and what they were computed from
};

}  // namespace lathe
