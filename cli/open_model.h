// The options of commands that use a finished model, and the model they name.
#pragma once

#include "cli/quantization.h"
#include "cli/runtime.h"
#include "lathe/adapt/adapter.h"
#include "lathe/model/model.h"
#include "lathe/text/tokenizer.h"

namespace lathe {

/// An adapter as the command line names it.
struct AdapterUse {
  std::string path, name;
  double strength = 1;

  static constexpr const char* scalar_field = "path";
  void fields(Fields& f);
};

struct OpenModelOptions {
  std::string model, dtype = "auto";
  std::vector<AdapterUse> adapter;
  QuantizationOptions quantization;
  RuntimeOptions runtime;

  void fields(Fields& f);
};

struct OpenModel {
  Tokenizer tokenizer;
  std::unique_ptr<Model> model;
  std::vector<std::unique_ptr<Adapter>> adapters = {};  ///< in the model, as they were given
};

/// The tokenizer of a model in `path`, or that which an adapter (its directory; empty: none)
/// brings.
Tokenizer load_tokenizer(const fs::path& path, const std::string& adapter);

/// The model, or the classifier of it that the adapter is for.
std::unique_ptr<Model> base_of(const std::string& adapter, std::unique_ptr<Model> model);

/// Loads tokenizer and model to the device, in the precision wished. Throws Error for an adapter
/// with a name, unless what the command reads can choose between such.
OpenModel open_model(const OpenModelOptions& options, bool adapters_are_chosen = false);

}  // namespace lathe
