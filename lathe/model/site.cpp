#include "lathe/model/site.h"

#include "lathe/ops/quantized.h"

namespace lathe {
namespace {

thread_local const AdapterInput* at_work = nullptr;

}  // namespace

Tensor Site::matrix() const {
  const Tensor numbers =
      ops::is_quantized(*weight) ? ops::in_dtype(*weight, at::kFloat) : weight->detach();
  return transposed ? numbers.t() : numbers;
}

AdapterInputAtWork::AdapterInputAtWork(const AdapterInput& input) : before_(at_work) {
  at_work = &input;
}

AdapterInputAtWork::~AdapterInputAtWork() {
  at_work = before_;
}

const AdapterInput& AdapterInputAtWork::now() {
  static const AdapterInput none;
  return at_work != nullptr ? *at_work : none;
}

Tensor with_adapters(std::span<const std::shared_ptr<const SiteAdapter>> slot, const Tensor& x,
                     const SiteAdapter::Base& base) {
  const auto before = slot.first(slot.size() - 1);
  if (before.empty()) return (*slot.back())(x, base);
  return (*slot.back())(x, [&](const Tensor& h) { return with_adapters(before, h, base); });
}

}  // namespace lathe
