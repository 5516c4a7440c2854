#include "lathe/model/walk.h"

#include <charconv>

#include "lathe/ops/quantized.h"

namespace lathe {

Tensor NamedTensor::numbers() const {
  return ops::is_quantized(*tensor) ? ops::in_dtype(*tensor, tensor->scalar_type())
                                    : tensor->detach();
}

int64_t layer_of(std::string_view weight) {
  for (const std::string_view list : {"layers.", "h."})
    for (size_t at = weight.find(list); at != weight.npos; at = weight.find(list, at + 1)) {
      if (at > 0 && weight[at - 1] != '.') continue;
      int64_t layer = -1;
      const char* const begin = weight.data() + at + list.size();
      const auto [end, error] = std::from_chars(begin, weight.data() + weight.size(), layer);
      if (error == std::errc() && end != weight.data() + weight.size() && *end == '.') return layer;
    }
  return -1;
}

}  // namespace lathe
