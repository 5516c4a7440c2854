#include "lathe/model/segments.h"

namespace lathe {

Tensor segment_starts(const Tensor& segments) {
  const int64_t rows = segments.size(0);
  const int64_t positions = segments.size(1);
  const Tensor ids = segments.to(at::kInt).contiguous();
  const Tensor starts = at::empty({rows, positions}, at::kLong);
  const int32_t* id = ids.const_data_ptr<int32_t>();
  int64_t* start = starts.data_ptr<int64_t>();
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t t = 0; t < positions; ++t) {
      const int64_t at = row * positions + t;
      start[at] = t > 0 && id[at] == id[at - 1] ? start[at - 1] : t;
    }
  return starts;
}

Tensor segment_lengths(const Tensor& segments, const Tensor& position_ids) {
  const int64_t rows = segments.size(0);
  const int64_t positions = segments.size(1);
  const Tensor ids = segments.to(at::kInt).contiguous();
  const Tensor places = position_ids.contiguous();
  const Tensor lengths = at::empty({rows, positions}, at::kLong);
  const int32_t* id = ids.const_data_ptr<int32_t>();
  const int64_t* place = places.const_data_ptr<int64_t>();
  int64_t* length = lengths.data_ptr<int64_t>();
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t t = positions - 1; t >= 0; --t) {
      const int64_t at = row * positions + t;
      const bool last = t + 1 == positions || id[at] != id[at + 1];
      length[at] = last ? place[at] + 1 : length[at + 1];
    }
  return lengths;
}

}  // namespace lathe
