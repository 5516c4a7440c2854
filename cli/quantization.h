// The options of how the weights of a model that nobody trains are kept in memory.
#pragma once

#include "lathe/model/quantize.h"
#include "lathe/options/fields.h"

namespace lathe {

/// Under the names of transformers' BitsAndBytesConfig where that has one.
struct QuantizationOptions {
  bool load_in_4bit = false, keep_quantized = false;
  std::string bnb_4bit_quant_type = "nf4";

  void fields(Fields& f);
  /// Throws Error if both are wished.
  WeightFormat format() const;
};

}  // namespace lathe
