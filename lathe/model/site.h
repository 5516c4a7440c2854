// The places in a model where adapters may sit. The model knows that something may sit there, not
// what.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lathe/base/tensor.h"

namespace lathe {

/// What sits somewhere: it is called in the place of what is there.
class SiteAdapter {
 public:
  /// What is there.
  using Base = std::function<Tensor(const Tensor&)>;
  virtual ~SiteAdapter() = default;
  /// What it gives with this: x (..., in) -> (..., out).
  virtual Tensor operator()(const Tensor& x, const Base& base) const = 0;
};

/// A place for adapters; the first is called nearest to what is there. Empty: the model is as it
/// is, to the bit.
using AdapterSlot = std::vector<std::shared_ptr<const SiteAdapter>>;

/// What is at a site.
enum class SiteKind {
  embedding,  ///< token numbers (B, T) -> (B, T, out)
  linear,     ///< a linear layer
  attention,  ///< attention and the norms around it: its result is added to what it reads
  mlp,        ///< the MLP and the norms around it, likewise
  block,      ///< a whole layer of both: its result takes the place of what it reads
  output,     ///< what makes logits of hidden states, a linear layer
};

/// Somewhere in a model where adapters may sit.
struct Site {
  std::string
      name;  ///< as in Hugging Face: "model.layers.0.self_attn.q_proj", "model.layers.0.mlp"
  SiteKind kind;
  int64_t in, out;  ///< widths of what it reads and gives; an embedding reads one of `in`
  AdapterSlot* slot;
  Tensor* weight = nullptr;  ///< of a linear layer (out, in), or
  bool transposed = false;   ///< (in, out), as of an embedding; of the other kinds: none
  Tensor* bias = nullptr;    ///< (out), or an undefined tensor

  /// The weight as (out, in); decoded, in float32, if it is quantised.
  Tensor matrix() const;
  /// Whether it is a router, part of an expert, or the output layer, which read tokens (N, in), not
  /// rows (B, T, in).
  bool reads_tokens() const {
    return kind == SiteKind::output || name.ends_with(".gate") ||
           name.find(".experts.") != std::string::npos;
  }
  bool has_bias() const { return bias != nullptr && bias->defined(); }
};

/// What a forward pass says to the adapters in the model.
struct AdapterInput {
  std::vector<int64_t> rows = {};             ///< (B) which of several each row uses, -1: none
  std::optional<uint64_t> dropout_seed = {};  ///< where something is learned: of what is dropped
};

/// What the forward pass at work on this thread says, for as long as it lives.
class AdapterInputAtWork {
 public:
  explicit AdapterInputAtWork(const AdapterInput& input);
  ~AdapterInputAtWork();
  AdapterInputAtWork(const AdapterInputAtWork&) = delete;
  AdapterInputAtWork& operator=(const AdapterInputAtWork&) = delete;
  /// Nothing where no pass is at work.
  static const AdapterInput& now();

 private:
  const AdapterInput* before_;
};

/// The slots of a layer of attention and MLP, and what the two are called.
struct BlockSlots {
  const char* attention_name;
  const char* mlp_name;
  AdapterSlot attention = {}, mlp = {}, block = {};
};

/// What the adapters of a slot that is not empty make of `base`.
Tensor with_adapters(std::span<const std::shared_ptr<const SiteAdapter>> slot, const Tensor& x,
                     const SiteAdapter::Base& base);

/// base(x), or what the slot's adapters make of it.
template <class F>
Tensor adapted(const AdapterSlot& slot, const Tensor& x, const F& base) {
  return slot.empty() ? base(x) : with_adapters(slot, x, base);
}

/// Appends the sites below `module`, as list_tensors does its tensors. `width`: the hidden size.
template <class M>
void list_sites(M& module, const std::string& prefix, int64_t width, std::vector<Site>& list) {
  module.visit([&]<class C>(const std::string& name, C& child) {
    const std::string path = prefix.empty() ? name : prefix + "." + name;
    if constexpr (std::is_same_v<C, Tensor>) {
    } else if constexpr (requires { child.site(path); }) {
      list.push_back(child.site(path));
    } else if constexpr (requires { child.begin(); }) {
      for (size_t i = 0; i < child.size(); ++i) {
        const std::string item = format("{}.{}", path, i);
        if constexpr (requires { child[i].slots; }) {
          BlockSlots& slots = child[i].slots;
          const auto add = [&](const std::string& at, SiteKind kind, AdapterSlot& slot) {
            list.push_back({at, kind, width, width, &slot});
          };
          add(item, SiteKind::block, slots.block);
          add(format("{}.{}", item, slots.attention_name), SiteKind::attention, slots.attention);
          add(format("{}.{}", item, slots.mlp_name), SiteKind::mlp, slots.mlp);
        }
        list_sites(child[i], item, width, list);
      }
    } else if constexpr (requires { child.has_value(); }) {
      if (!child) return;
      if constexpr (requires { child->site(path); })
        list.push_back(child->site(path));
      else
        list_sites(*child, path, width, list);
    } else {
      list_sites(child, path, width, list);
    }
  });
}

}  // namespace lathe
