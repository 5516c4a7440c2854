#include "lathe/model/site.h"

namespace lathe {

Tensor adapted(const AdapterSlot& slot, const Tensor& x, const SiteAdapter::Base& base) {
  return slot ? (*slot)(x, base) : base(x);
}

}  // namespace lathe
