// The options of commands that use a finished model, and the model they name.
#pragma once

#include "cli/runtime.h"
#include "lathe/model/model.h"
#include "lathe/text/tokenizer.h"

namespace lathe {

struct OpenModelOptions {
  std::string model, dtype = "auto";
  RuntimeOptions runtime;

  void fields(Fields& f);
};

struct OpenModel {
  Tokenizer tokenizer;
  std::unique_ptr<Model> model;
};

/// Loads tokenizer and model to the device, in the precision wished.
OpenModel open_model(const OpenModelOptions& options);

}  // namespace lathe
