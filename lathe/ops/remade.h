// Results that backward passes make again instead of keeping them from the forward pass.
#pragma once

#include <functional>

#include "lathe/base/tensor.h"

namespace lathe::ops {

/// Lets backward passes that need `y` call `make` instead of keeping it: for what costs little
/// beside the memory it takes. `make` may hold only what is kept anyway, and gives y to the bit.
void make_again(const Tensor& y, std::function<Tensor()> make);

/// An input that a backward pass needs: kept, or made again.
class SavedInput final : public torch::CustomClassHolder {
 public:
  /// How `x` is made again, shared by all that need it; null if it has to be kept.
  static c10::intrusive_ptr<SavedInput> of(const Tensor& x);

  explicit SavedInput(std::function<Tensor()> make) : make_(std::move(make)) {}
  /// One backward pass more will ask for it.
  void expect() { ++expected_; }
  /// The tensor, which is made once for all that are expected.
  Tensor take();

 private:
  std::function<Tensor()> make_;
  int64_t expected_ = 0;
  Tensor made_;
};

}  // namespace lathe::ops
