// lathe convert: write a model in other files.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/publish.h"
#include "cli/runtime.h"
#include "lathe/adapt/gguf_lora.h"
#include "lathe/io/hub_cache.h"
#include "lathe/model/files.h"
#include "lathe/model/gguf_model.h"
#include "lathe/text/gguf_tokenizer.h"

namespace lathe {
namespace {

struct ConvertOptions {
  std::string model, out, adapter, dtype = "auto", quant = "auto";
  bool json = false;

  void fields(Fields& f) {
    std::vector<std::string> quants = gguf_quants();
    quants.insert(quants.begin(), "auto");
    f("model", model, "A model's directory, GGUF file, or name (org/name) in the cache.",
      {.placeholder = "IN", .required = true});
    f("out", out, "Directory to write, or a file whose name ends in .gguf.",
      {.placeholder = "OUT", .required = true});
    f("adapter", adapter,
      "Directory of a LoRA adapter for the model, which is written alone, to a file for "
      "llama.cpp's "
      "--lora.",
      {.placeholder = "DIR"});
    f("dtype", dtype, "Precision in a directory; auto is that of the file.",
      {.choices = {"auto", "float32", "bfloat16", "float16"}});
    f("quant", quant, "Format of the matrices in a GGUF file; auto is that of the weights.",
      {.choices = {quants.begin(), quants.end()}});
    f("json", json, "Print one JSON object with the result.");
  }
};

/// The tokenizer of a model, if it has one.
std::optional<Tokenizer> tokenizer_to_convert(const fs::path& path) {
  const bool there = is_gguf(path) ? has_gguf_tokenizer(GgufFile(path).fields())
                                   : fs::exists(path / "tokenizer.json");
  return there ? std::optional(Tokenizer::load(path)) : std::nullopt;
}

int convert_adapter(const fs::path& from, const ConvertOptions& o) {
  require(o.out.ends_with(".gguf"), "{}: an adapter is written to a file that ends in .gguf",
          o.out);
  const std::unique_ptr<Model> model = load_model(from, {}, WeightMemory::mapped);
  const std::unique_ptr<Adapter> adapter = Adapter::load(*model, o.adapter);
  save_gguf_lora(*model, *adapter, o.out);
  print(stdout, format("{}: {} layers of {}\n", o.out, adapter->modules().size(), o.adapter));
  return 0;
}

int run_convert(const ConvertOptions& o) {
  const bool gguf = o.out.ends_with(".gguf");
  if (gguf && o.dtype != "auto") throw UsageError("dtype is for directories; for GGUF give quant");
  if (!gguf && o.quant != "auto") throw UsageError("quant is for an OUT that ends in .gguf");
  require(!fs::exists(o.out), "{} exists: remove it, or choose another name", o.out);
  const fs::path from = locate_model(o.model, hub_cache_folder());
  if (!o.adapter.empty()) return convert_adapter(from, o);
  const std::optional<Tokenizer> tokenizer = tokenizer_to_convert(from);
  if (!tokenizer) print(stderr, format("{} has no tokenizer, so {} gets none\n", o.model, o.out));
  const std::unique_ptr<Model> model = load_model(from, dtype_named(o.dtype), WeightMemory::mapped);
  if (gguf)
    publish_gguf(*model, tokenizer, fs::absolute(from).lexically_normal().stem(), o.quant, o.out);
  else
    publish_model(*model, tokenizer ? &*tokenizer : nullptr, o.out);
  const nlohmann::json result = {{"out", o.out},
                                 {"model_type", model->config().model_type},
                                 {"parameters", model->parameter_count()}};
  print(stdout, o.json ? result.dump() + "\n"
                       : format("{}: {} with {} parameters\n", o.out, model->config().model_type,
                                model->parameter_count()));
  return 0;
}

}  // namespace

Command convert_command() {
  return make_command<ConvertOptions>(
      {.name = "convert",
       .summary = "Write a model in other files",
       .description = "Between Hugging Face directories and GGUF files, tokenizer included.",
       .positional = {"model", "out"},
       .examples = {{"lathe convert DIR model.gguf --quant Q4_K", "for llama.cpp"},
                    {"lathe convert DIR lora.gguf --adapter runs/lora/adapter", "its --lora"},
                    {"lathe convert model.gguf DIR --dtype bfloat16", "for transformers"}}},
      run_convert);
}

}  // namespace lathe
