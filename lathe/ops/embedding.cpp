#include "lathe/ops/embedding.h"

namespace lathe::ops {

Tensor embedding(const Tensor& ids, const Tensor& weight, at::ScalarType dtype) {
  return at::embedding(weight, ids).to(dtype);
}

}  // namespace lathe::ops
