// lathe train RECIPE.yaml: from a recipe to a run.
#include <algorithm>

#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/publish.h"
#include "cli/recipe.h"
#include "cli/run_parts.h"
#include "cli/run_setup.h"
#include "cli/trained.h"
#include "cli/training_data.h"
#include "cli/validate.h"
#include "lathe/ops/cpu/memory_pool.h"
#include "lathe/train/loop.h"

namespace lathe {
namespace {

std::string describe_run(const Recipe& recipe, Model& model,
                         const std::vector<NamedTensor>& trained, const Dataset& data) {
  double numbers = 0;
  for (const NamedTensor& weight : trained) numbers += static_cast<double>(weight.tensor->numel());
  const auto all = static_cast<double>(model.parameter_count());
  uint64_t tokens = 0;
  for (const Pool& pool : data.train) tokens += pool.documents.tokens();
  return format(
      "model: {}, {:.2f} M parameters in {:.1f} MB, {}\ntrained: {:.0f} parameters, {:.3g} % of "
      "the "
      "model\ndata: {}; {} tokens to train on, {} documents to "
      "validate on\nsteps: {} of {} x {} tokens",
      model.config().model_type, all / 1e6, static_cast<double>(model.weight_bytes()) / 1e6,
      recipe.train.bf16 ? "bfloat16" : "float32", numbers, 100 * numbers / all,
      data.train_report.summary(), tokens, data.validation.size(), recipe.train.max_steps,
      recipe.data.per_device_train_batch_size * recipe.train.gradient_accumulation_steps,
      recipe.data.max_length);
}

int run_train(const Recipe& given) {
  const at::Device device = given.runtime.apply();
  ops::cpu::use_memory_pool();
  TerminalObserver observer;
  const std::unique_ptr<RunFolder> folder = open_run(given, observer);
  Recipe recipe = given;
  const Tokenizer tokenizer = load_tokenizer(recipe);
  std::unique_ptr<Model> model = make_model(recipe, tokenizer);
  Dataset data = load_data(recipe, tokenizer, *model, observer.line());
  model = with_outputs(std::move(model), recipe, data);
  model->to(device);
  const Adapters adapters = make_adapters(recipe, *model);
  const TrainedWeights trained = trained_weights(recipe, *model, adapters);
  const std::unique_ptr<Parallel> parallel = single_process();
  const bool drops =
      std::ranges::any_of(adapters, [](const auto& each) { return each->options().drops(); });
  const std::unique_ptr<Source> source =
      make_source(recipe, *model, trained.weights, data, *parallel, drops, observer.line());
  const std::unique_ptr<Objective> objective = make_objective(recipe, data);
  Optimizer optimizer = make_optimizer(*model, recipe.train.optimizer, trained.weights);
  if (!trained.rates.empty()) optimizer.set_rates(trained.rates);
  Training training{*model, *objective, *source, optimizer, *parallel, observer, folder.get(), {}};
  if (data.validation.size() > 0)
    training.evaluate = [&] { return validate(*model, *objective, tokenizer, recipe, data); };
  observer.line().print(describe_run(recipe, *model, trained.weights, data));
  record_recipe(*folder, given);
  if (!train(training, recipe.train)) {
    observer.line().print("stopped after a checkpoint; the same command goes on from there");
    return 0;
  }
  observer.line().print(publish_result(recipe, *model, adapters, tokenizer, folder->path()));
  return 0;
}

}  // namespace

Command train_command() {
  return make_command<Recipe>(
      {.name = "train",
       .summary = "Train a model as a recipe says",
       .description =
           "A recipe is a YAML file with the options below; what is given on the command line goes "
           "before it. The run writes its recipe, metrics and checkpoints to output_dir, and the "
           "result to output_dir/model, which transformers loads, or to output_dir/adapter, which "
           "PEFT does. The same command goes on where "
           "an "
           "interrupted run stopped, bit for bit.",
       .positional = {"recipe"},
       .recipe = "recipe",
       .examples = {{"lathe train recipes/pretrain.yaml", "a model from random weights"},
                    {"lathe train recipe.yaml --learning_rate 1e-3 --output_dir runs/b",
                     "the same with other options"}}},
      run_train);
}

}  // namespace lathe
