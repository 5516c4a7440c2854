#include "lathe/ops/remade.h"

#include <gtest/gtest.h>

#include "lathe/ops/linear.h"
#include "lathe/ops/rms_norm.h"
#include "lathe/ops/swiglu.h"
#include "tests/support/device.h"

namespace lathe {
namespace {

Tensor trained(at::IntArrayRef shape) {
  return at::randn(shape, at::kDouble).requires_grad_();
}

TEST(Remade, is_made_once_for_all_backward_passes_and_not_kept) {
  const Tensor x = trained({3, 4}), q = trained({5, 4}), k = trained({2, 4});
  int times = 0;
  std::optional<c10::weak_intrusive_ptr<c10::StorageImpl>> memory;
  Tensor loss;
  {
    const Tensor y = x * 2;
    ops::make_again(y, [&times, x = x.detach()] { return ++times, x * 2; });
    memory = y.storage().getWeakStorageImpl();
    loss = ops::linear(y, q).sum() + ops::linear(y, k).sum();
  }
  EXPECT_TRUE(memory->expired()) << "nothing keeps it between the passes";
  loss.backward();
  EXPECT_EQ(times, 1);
  EXPECT_TRUE(at::allclose(q.grad(), (2 * x).sum(0).expand({5, 4})));
  EXPECT_TRUE(at::allclose(k.grad(), (2 * x).sum(0).expand({2, 4})));
}

TEST(Remade, is_kept_by_nobody_where_nothing_is_learned) {
  const Tensor y = at::ones({3, 4});
  ops::make_again(y, [] { return Tensor(); });
  EXPECT_EQ(ops::SavedInput::of(y), nullptr);
}

TEST(Remade, norms_and_gated_activations_give_the_same_gradients_to_the_bit) {
  const Tensor x = trained({3, 4}), w = trained({4}), weight = trained({5, 4});
  for (const bool norm : {true, false}) {
    std::vector<Tensor> gradients;
    for (const bool copies : {true, false}) {  // a copy has no maker
      const Tensor y = norm ? ops::rms_norm(x, w, 1e-5) : ops::swiglu(x, x + 1);
      EXPECT_EQ(ops::SavedInput::of(y) == nullptr, !y.is_cpu());
      weight.mutable_grad() = Tensor();
      ops::linear(copies ? y.clone() : y, weight).square().sum().backward();
      gradients.push_back(weight.grad());
    }
    EXPECT_TRUE(at::equal(gradients[0], gradients[1]));
  }
}

}  // namespace
}  // namespace lathe
