// A mixture of experts in the place of a layer's MLP (Shazeer et al. 2017, arXiv:1701.06538; as in
// Mixtral, Jiang et al. 2024, arXiv:2401.04088). Letters: B rows, T positions, D hidden size, F
// width of an expert, X experts.
#pragma once

#include "lathe/model/layers.h"

namespace lathe {

/// One expert: a gated MLP, in the names of its family.
struct Expert : Mlp {
  bool short_names;  // those of Mixtral

  explicit Expert(const ModelConfig& config);
  void visit(auto&& v) {
    if (!short_names) return Mlp::visit(v);
    v("w1", gate_proj);
    v("w2", down_proj);
    v("w3", up_proj);
  }
};

/// Each token goes to the experts that the router finds most likely, and gets the sum of their
/// results, weighted with their probabilities. The router's product is taken in the dtype of x, its
/// probabilities in float32 or wider.
struct SparseMoe {
  Linear gate;  // (X, D)
  std::vector<Expert> experts;
  int64_t chosen;   // experts a token
  bool normalised;  // the weights of those are made to add up to 1

  explicit SparseMoe(const ModelConfig& config);
  /// What the router says of each expert: x (B, T, D) -> (B*T, X).
  Tensor router_logits(const Tensor& x) const;
  /// x (B, T, D) with its router_logits -> (B, T, D).
  Tensor operator()(const Tensor& x, const Tensor& logits) const;
  Kept kept() const;
  void visit(auto&& v) {
    v("gate", gate);
    v("experts", experts);
  }
};

}  // namespace lathe
