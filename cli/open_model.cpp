#include "cli/open_model.h"

#include <algorithm>
#include <future>

#include "lathe/adapt/files.h"
#include "lathe/io/hub_cache.h"
#include "lathe/io/utf8.h"
#include "lathe/model/classifier.h"
#include "lathe/model/files.h"

namespace lathe {

void AdapterUse::fields(Fields& f) {
  f("path", path, "Directory of the adapter.", {.placeholder = "DIR", .required = true});
  f("name", name, "What prompts call it that are to use it; without a name all of them do.");
  f("strength", strength, "How much of what it does: 1 as it was trained, 0 nothing.");
}

void OpenModelOptions::fields(Fields& f) {
  f("model", model, "A model's directory, or its name (org/name) in the Hugging Face cache.",
    {.placeholder = "DIR", .required = true});
  f("adapter", adapter,
    "Directory of an adapter for the model, as PEFT, AdapterHub or Lathe wrote it; give the option "
    "again for one that works behind it. {path: DIR, strength: 0.5}: half of what it does.",
    {.placeholder = "DIR", .one_word = true});
  runtime.fields(f);
  f("dtype", dtype, "Precision; auto is that of the file.",
    {.choices = {"auto", "float32", "bfloat16", "float64"}});
  quantization.fields(f);
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

OpenModel open_model(const OpenModelOptions& o, bool adapters_are_chosen) {
  for (const AdapterUse& use : o.adapter)
    require(use.name.empty() || adapters_are_chosen,
            "adapter: {} has the name {}, but nothing here chooses between adapters: leave the "
            "name out to use it for all; prompts can choose in `lathe generate`",
            use.path, show_text(use.name));
  const at::Device device = o.runtime.apply();
  const fs::path path = locate_model(o.model, hub_cache_folder());
  // Each takes a good part of the time until the first token. The tokenizer is read on this thread:
  // what it frees is then used again for the rows, instead of lying in another thread's heap.
  auto model = std::async(std::launch::async, [&] {
    return load_model(path, dtype_named(o.dtype), WeightMemory::mapped, o.quantization.format());
  });
  const auto with_tokenizer = std::ranges::find_if(o.adapter, [](const AdapterUse& use) {
    return fs::exists(fs::path(use.path) / "tokenizer.json");
  });
  Tokenizer tokenizer =
      load_tokenizer(path, with_tokenizer != o.adapter.end() ? with_tokenizer->path : "");
  OpenModel opened{std::move(tokenizer), model.get()};
  for (const AdapterUse& use : o.adapter) opened.model = base_of(use.path, std::move(opened.model));
  opened.model->to(device);
  for (const AdapterUse& use : o.adapter) {
    opened.adapters.push_back(Adapter::load(*opened.model, use.path));
    opened.adapters.back()->set_strength(use.strength);
  }
  return opened;
}

}  // namespace lathe
