#pragma once

#include "lathe/options/fields.h"

namespace lathe {

/// How text is drawn from a model, under the names of transformers' GenerationConfig.
struct SamplingOptions {
  int64_t max_new_tokens = 256;
  double temperature = 1;
  int64_t top_k = 0;
  double top_p = 1;
  double min_p = 0;
  double repetition_penalty = 1;
  std::vector<std::string> stop;
  int64_t seed = 42;

  void fields(Fields& f);
};

}  // namespace lathe
