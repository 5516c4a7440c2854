#include "cli/open_model.h"

#include <future>

#include "lathe/adapt/peft_files.h"
#include "lathe/io/hub_cache.h"
#include "lathe/model/classifier.h"
#include "lathe/model/files.h"

namespace lathe {
namespace {

/// Nothing for auto.
std::optional<at::ScalarType> parse_dtype(const std::string& name) {
  if (name == "float32") return at::kFloat;
  if (name == "float64") return at::kDouble;
  if (name == "bfloat16") return at::kBFloat16;
  return std::nullopt;
}

}  // namespace

void OpenModelOptions::fields(Fields& f) {
  f("model", model, "A model's directory, or its name (org/name) in the Hugging Face cache.",
    {.placeholder = "DIR", .required = true});
  f("adapter", adapter, "Directory of an adapter for the model, as PEFT or Lathe wrote it.",
    {.placeholder = "DIR"});
  runtime.fields(f);
  f("dtype", dtype, "Precision; auto is that of the file.",
    {.choices = {"auto", "float32", "bfloat16", "float64"}});
}

Tokenizer load_tokenizer(const fs::path& path, const std::string& adapter) {
  const bool own = !adapter.empty() && fs::exists(fs::path(adapter) / "tokenizer.json");
  return Tokenizer::load(own ? fs::path(adapter) : path);
}

std::unique_ptr<Model> base_of(const std::string& adapter, std::unique_ptr<Model> model) {
  const AdapterFacts facts = read_adapter_facts(adapter);
  if (facts.labels.empty() || model->is_classifier()) return model;
  return classifier_of(*model, facts.labels, facts.problem_type, /*seed=*/0);
}

OpenModel open_model(const OpenModelOptions& o) {
  const at::Device device = o.runtime.apply();
  const fs::path path = locate_model(o.model, hub_cache_folder());
  // Each takes a good part of the time until the first token. The tokenizer is read on this thread:
  // what it frees is then used again for the rows, instead of lying in another thread's heap.
  auto model = std::async(std::launch::async, [&] {
    return load_model(path, parse_dtype(o.dtype), WeightMemory::mapped);
  });
  Tokenizer tokenizer = load_tokenizer(path, o.adapter);
  OpenModel opened{std::move(tokenizer), model.get()};
  if (!o.adapter.empty()) opened.model = base_of(o.adapter, std::move(opened.model));
  opened.model->to(device);
  if (!o.adapter.empty()) opened.adapter = Adapter::load(*opened.model, o.adapter);
  return opened;
}

}  // namespace lathe
