// Where and how precisely a command computes.
#pragma once

#include "lathe/base/file.h"
#include "lathe/base/tensor.h"
#include "lathe/options/fields.h"

namespace lathe {

struct RuntimeOptions {
  std::string device = "cpu";
  int64_t threads = 0;

  void fields(Fields& f);
  /// Sets the number of threads and returns the device. Throws Error if this machine or this build
  /// has no such device.
  at::Device apply() const;
};

/// float32, float64, bfloat16 or float16; nothing for auto.
std::optional<at::ScalarType> dtype_named(const std::string& name);

/// Where encoded data is kept by default: $XDG_CACHE_HOME/lathe or ~/.cache/lathe.
fs::path default_cache_folder();

/// Where Hugging Face keeps models it has fetched: $HF_HUB_CACHE, $HF_HOME/hub or
/// ~/.cache/huggingface/hub.
fs::path hub_cache_folder();

}  // namespace lathe
