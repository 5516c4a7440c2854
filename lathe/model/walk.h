// Modules are plain structs of tensors with one `visit`, which names every member as Hugging Face's
// files do. From it comes the flat list that everything else works on.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "lathe/base/tensor.h"

namespace lathe {

/// A weight and its name, such as "model.layers.3.self_attn.q_proj.weight".
struct NamedTensor {
  std::string name;
  Tensor* tensor;

  /// Its numbers, decoded if the weight is quantised (ops/quantized.h).
  Tensor numbers() const;
};

/// Which layer a weight belongs to, by its name: "model.layers.3.mlp.up_proj.weight" to 3. -1:
/// none.
int64_t layer_of(std::string_view weight);

/// Appends every tensor below `module`, depth first, with dotted names that begin with `prefix`;
/// undefined tensors and empty std::optional modules are not there. Weights that share storage are
/// the module's business: it visits them once.
template <class M>
void list_tensors(M& module, const std::string& prefix, std::vector<NamedTensor>& list) {
  module.visit([&]<class C>(const std::string& name, C& child) {
    const std::string path = prefix.empty() ? name : prefix + "." + name;
    if constexpr (std::is_same_v<C, Tensor>) {
      if (child.defined()) list.push_back({path, &child});
    } else if constexpr (requires { child.begin(); }) {
      for (size_t i = 0; i < child.size(); ++i)
        list_tensors(child[i], format("{}.{}", path, i), list);
    } else if constexpr (requires { child.has_value(); }) {
      if (child) list_tensors(*child, path, list);
    } else {
      list_tensors(child, path, list);
    }
  });
}

}  // namespace lathe
