// The layers that models are made of. Letters: B rows, T positions, D hidden size, F intermediate
// size, V tokens.
#pragma once

#include "lathe/base/tensor.h"
#include "lathe/model/config.h"
#include "lathe/model/kept.h"
#include "lathe/model/site.h"
#include "lathe/ops/activation.h"

namespace lathe {

/// A weight without memory: models are described first, then filled.
Tensor described(at::IntArrayRef shape);

struct Linear {
  Tensor weight;  // (out, in)
  Tensor bias;    // (out), or undefined
  AdapterSlot slot;

  Linear(int64_t in, int64_t out, bool with_bias);
  Tensor operator()(const Tensor& x) const;  // (..., in) -> (..., out)
  Site site(const std::string& name);
  void visit(auto&& v) {
    v("weight", weight);
    v("bias", bias);
  }
};

struct Embedding {
  Tensor weight;  // (V, D)
  AdapterSlot slot;

  Embedding(int64_t count, int64_t width);
  Site site(const std::string& name);
  Tensor operator()(const Tensor& ids, at::ScalarType dtype) const;  // (B, T) -> (B, T, D)
  void visit(auto&& v) { v("weight", weight); }
};

struct RmsNorm {
  Tensor weight;  // (D)
  double eps, offset;

  RmsNorm(int64_t width, const ModelConfig& config);
  Tensor operator()(const Tensor& x) const;  // (..., D) -> (..., D)
  int64_t width() const { return weight.size(0); }
  Kept kept() const { return {width(), 1}; }
  void visit(auto&& v) { v("weight", weight); }
};

struct LayerNorm {
  Tensor weight, bias;  // (D) each
  double eps;

  LayerNorm(int64_t width, const ModelConfig& config);
  Tensor operator()(const Tensor& x) const;  // (..., D) -> (..., D)
  Kept kept() const { return {weight.size(0), 2}; }
  void visit(auto&& v) {
    v("weight", weight);
    v("bias", bias);
  }
};

/// The gated MLP (Shazeer 2020, arXiv:2002.05202).
struct Mlp {
  std::optional<Linear> gate_proj, up_proj;  // (F, D) each, or
  std::optional<Linear> gate_up_proj;        // (2F, D)
  Linear down_proj;                          // (D, F)
  ops::Activation activation;

  /// `width`: F.
  Mlp(const ModelConfig& config, int64_t width);
  Tensor operator()(const Tensor& x) const;  // (B, T, D) -> (B, T, D)
  Kept kept() const;
  void visit(auto&& v) {
    v("gate_proj", gate_proj);
    v("up_proj", up_proj);
    v("gate_up_proj", gate_up_proj);
    v("down_proj", down_proj);
  }
};

}  // namespace lathe
