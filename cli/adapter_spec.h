#pragma once

#include <optional>
#include <string>

#include "lathe/adapt/options.h"

namespace lathe {

/// `adapter: DIR` to go on with an adapter, or `adapter: {peft_type: LORA, ...}` to make one.
struct AdapterSpec {
  std::string path;
  std::string name;  ///< of one that only the rows use and train that name it
  double loss_weight = 1;
  std::optional<double> learning_rate, max_grad_norm;  ///< by default the run's
  AdapterOptions options;

  static constexpr const char* scalar_field = "path";
  void fields(Fields& f);
  void check() const;
  bool wanted() const { return !path.empty() || !options.peft_type.empty(); }
};

}  // namespace lathe
