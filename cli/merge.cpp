// lathe merge: make an adapter part of its model.
#include <cstdio>

#include "cli/commands.h"
#include "cli/open_model.h"
#include "cli/publish.h"
#include "lathe/io/hub_cache.h"
#include "lathe/model/files.h"

namespace lathe {
namespace {

struct MergeOptions {
  std::string model, adapter, out, dtype = "auto";

  void fields(Fields& f) {
    f("model", model, "A model's directory, or its name (org/name) in the Hugging Face cache.",
      {.placeholder = "MODEL", .required = true});
    f("adapter", adapter, "Directory of the adapter.",
      {.placeholder = "ADAPTER", .required = true});
    f("out", out, "Directory to write.", {.placeholder = "OUT", .required = true});
    f("dtype", dtype, "Precision to write; auto is that of the model.",
      {.choices = {"auto", "float32", "bfloat16", "float16"}});
  }
};

/// What the model gives for some tokens, whatever they mean.
Tensor outputs(Model& model) {
  const at::NoGradGuard no_grad;
  const int64_t count = std::min<int64_t>({64, model.config().max_position_embeddings});
  const Tensor ids = at::arange(count, at::kLong).mul_(7919).remainder_(model.config().vocab_size);
  const Tensor hidden = model.hidden_states({ids.unsqueeze(0), {}, {}})[0];
  return model.is_classifier() ? model.class_logits(hidden) : model.logits(hidden);
}

int run_merge(const MergeOptions& o) {
  require(!fs::exists(o.out), "{} exists: remove it, or choose another name", o.out);
  const fs::path from = locate_model(o.model, hub_cache_folder());
  const Tokenizer tokenizer = load_tokenizer(from, o.adapter);
  const at::ScalarType stored = load_model(from, {}, WeightMemory::mapped)->compute_dtype();
  const std::unique_ptr<Model> model = base_of(o.adapter, load_model(from, at::kFloat));
  const std::unique_ptr<Adapter> adapter = Adapter::load(*model, o.adapter);
  const Tensor expected = outputs(*model);
  adapter->merge();
  // transformers finds the end of a padded text by it.
  if (model->is_classifier() && !model->config().pad_token_id)
    model->mutable_config().pad_token_id =
        tokenizer.pad_id().value_or(tokenizer.eos_id().value_or(0));
  const auto difference = (outputs(*model) - expected).abs().max().item<double>();
  const at::ScalarType dtype = dtype_named(o.dtype).value_or(stored);
  model->to(dtype);
  publish_model(*model, &tokenizer, o.out);
  print(stdout, format("{}: the largest difference of outputs is {:.1e}, before they were rounded "
                       "to {}\n",
                       o.out, difference, at::toString(dtype)));
  return 0;
}

}  // namespace

Command merge_command() {
  return make_command<MergeOptions>(
      {.name = "merge",
       .summary = "Make an adapter part of its model",
       .description = "The sum is taken in float32.",
       .positional = {"model", "adapter", "out"},
       .examples = {{"lathe merge DIR runs/lora/adapter merged", "a model without an adapter"}}},
      run_merge);
}

}  // namespace lathe
