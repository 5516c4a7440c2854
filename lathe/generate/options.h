#pragma once

#include "lathe/model/generation_config.h"

namespace lathe {

/// How text is drawn from a model. What `draw` leaves open is as the model's generation_config.json
/// has it.
struct SamplingOptions {
  int64_t max_new_tokens = 256;
  Sampling draw;
  std::vector<std::string> stop;
  int64_t seed = 42;

  void fields(Fields& f);
};

}  // namespace lathe
