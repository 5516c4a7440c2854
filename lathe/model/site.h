// The places in a model where adapters may sit. The model knows that something may sit there, not
// what.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lathe/base/tensor.h"

namespace lathe {

/// What sits at a layer: it is called in the layer's place.
class SiteAdapter {
 public:
  /// The layer itself.
  using Base = std::function<Tensor(const Tensor&)>;
  virtual ~SiteAdapter() = default;
  /// What the layer gives with this: x (..., in) -> (..., out).
  virtual Tensor operator()(const Tensor& x, const Base& base) const = 0;
};

/// A layer's place for an adapter; empty: the layer is as it is, to the bit.
using AdapterSlot = std::shared_ptr<const SiteAdapter>;

/// A linear layer where an adapter may sit.
struct Site {
  std::string name;  ///< as in Hugging Face: "model.layers.0.self_attn.q_proj"
  Tensor* weight;    ///< (out, in), or
  bool transposed;   ///< (in, out)
  Tensor* bias;      ///< (out), or undefined
  AdapterSlot* slot;

  /// The weight as (out, in).
  Tensor matrix() const { return transposed ? weight->detach().t() : weight->detach(); }
  int64_t in() const { return weight->size(transposed ? 0 : 1); }
  int64_t out() const { return weight->size(transposed ? 1 : 0); }
};

/// `base`, or what the slot's adapter makes of it.
Tensor adapted(const AdapterSlot& slot, const Tensor& x, const SiteAdapter::Base& base);

/// Appends every layer below `module` that has a slot, as list_tensors does.
template <class M>
void list_sites(M& module, const std::string& prefix, std::vector<Site>& list) {
  module.visit([&]<class C>(const std::string& name, C& child) {
    const std::string path = prefix.empty() ? name : prefix + "." + name;
    if constexpr (requires { child.slot; }) {
      list.push_back({path, &child.weight, C::transposed, &child.bias, &child.slot});
    } else if constexpr (std::is_same_v<C, Tensor>) {
    } else if constexpr (requires { child.begin(); }) {
      for (size_t i = 0; i < child.size(); ++i)
        list_sites(child[i], format("{}.{}", path, i), list);
    } else if constexpr (requires { child.has_value(); }) {
      if (child) {
        if constexpr (requires { child->slot; })
          list.push_back(
              {path, &child->weight, C::value_type::transposed, &child->bias, &child->slot});
        else
          list_sites(*child, path, list);
      }
    } else {
      list_sites(child, path, list);
    }
  });
}

}  // namespace lathe
