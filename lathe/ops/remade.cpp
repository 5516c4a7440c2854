#include "lathe/ops/remade.h"

namespace lathe::ops {
namespace {

/// What a tensor carries that can be made again.
struct Recipe final : c10::BackendMeta {
  explicit Recipe(c10::intrusive_ptr<SavedInput> input) : saved(std::move(input)) {}
  c10::intrusive_ptr<SavedInput> saved;
};

}  // namespace

void make_again(const Tensor& y, std::function<Tensor()> make) {
  // Without a gradient nothing is kept for it, so what it is made of would be kept for this alone.
  if (!y.requires_grad()) return;
  auto saved = c10::make_intrusive<SavedInput>(std::move(make));
  y.unsafeGetTensorImpl()->set_backend_meta(c10::make_intrusive<Recipe>(std::move(saved)));
}

c10::intrusive_ptr<SavedInput> SavedInput::of(const Tensor& x) {
  const auto* recipe = dynamic_cast<const Recipe*>(x.unsafeGetTensorImpl()->get_backend_meta());
  return recipe == nullptr ? nullptr : recipe->saved;
}

Tensor SavedInput::take() {
  if (!made_.defined()) made_ = make_();
  Tensor y = made_;
  if (--expected_ <= 0) made_ = Tensor();
  return y;
}

}  // namespace lathe::ops
