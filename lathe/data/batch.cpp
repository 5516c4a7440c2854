#include "lathe/data/batch.h"

namespace lathe {

Batch Batch::to(const at::Device& device) const {
  Batch moved = *this;
  for (Tensor Batch::*field :
       {&Batch::input_ids, &Batch::labels, &Batch::position_ids, &Batch::segment_ids, &Batch::ends,
        &Batch::targets, &Batch::states, &Batch::embedding_noise})
    if ((this->*field).defined()) moved.*field = (this->*field).to(device);
  return moved;
}

}  // namespace lathe
