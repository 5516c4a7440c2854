// lathe train RECIPE.yaml: from a recipe to a run.
#include <algorithm>

#include "cli/commands.h"
#include "cli/describe_run.h"
#include "cli/progress.h"
#include "cli/publish.h"
#include "cli/recipe.h"
#include "cli/report.h"
#include "cli/run_parts.h"
#include "cli/run_setup.h"
#include "cli/trained.h"
#include "cli/training_data.h"
#include "cli/training_source.h"
#include "cli/validate.h"
#include "lathe/adapt/row_adapters.h"
#include "lathe/ops/cpu/memory_pool.h"

namespace lathe {
namespace {

int run_train(const Recipe& given) {
  const at::Device device = given.runtime.apply();
  ops::cpu::use_memory_pool();
  TerminalObserver observer;
  Recipe recipe = given;
  const std::unique_ptr<RunFolder> folder = open_run(recipe, observer);
  const Recipe recorded = recipe;
  const Tokenizer tokenizer = load_tokenizer(recipe);
  std::unique_ptr<Model> model = make_model(recipe, tokenizer, observer);
  std::vector<ClozeQuestion> questions = read_cloze_questions(recipe.cloze_data, tokenizer, *model);
  Dataset data = load_data(recipe, tokenizer, *model, observer.line());
  model = with_outputs(std::move(model), recipe, data);
  model->to(device);
  const Adapters adapters = make_adapters(recipe, *model);
  const TrainedWeights trained = trained_weights(recipe, *model, adapters);
  const std::unique_ptr<RowAdapters> rows =
      data.adapters.empty() ? nullptr : std::make_unique<RowAdapters>(adapters);
  const std::unique_ptr<Parallel> parallel = single_process();
  const bool drops =
      std::ranges::any_of(adapters, [](const auto& each) { return each->options().drops(); });
  const std::unique_ptr<Objective> objective = make_objective(recipe, data);
  const Validation validation{*model, *objective, tokenizer, recipe, data, std::move(questions)};
  const bool validates = data.validation.size() > 0;
  if (validates) recipe.train.best.require_measured(validation.names());
  const std::unique_ptr<Source> source =
      make_source(recipe, *model, trained.weights, data, *parallel, drops, observer.line());
  Optimizer optimizer = optimizer_for(trained, recipe, *model);
  Training training{*model,   *objective,   *source, optimizer,       *parallel,
                    observer, folder.get(), {},      trained.learners};
  if (validates) training.evaluate = [&] { return validation.measure(); };
  const std::string facts = describe_run(recipe, *model, trained, data);
  observer.line().print(facts);
  record_recipe(*folder, recorded);
  const std::optional<int64_t> result = train(training, recipe.train);
  if (!result) {
    observer.line().print("stopped after a checkpoint; the same command goes on from there");
    return 128 + stop_signal();
  }
  const RunMetrics metrics = read_metrics(folder->path() / "metrics.jsonl");
  if (const auto gains = before_and_after(metrics, *result)) observer.line().print(gains->text());
  observer.line().print(publish_result(recipe, *model, adapters, tokenizer, folder->path()));
  write_report(folder->path(), facts, metrics, *result);
  return 0;
}

int run_train_until_stopped(const Recipe& given) {
  try {
    return run_train(given);
  } catch (const StoppedBySignal& stopped) {
    ProgressLine().print("stopped before the first step");
    return 128 + stopped.number;
  }
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
      run_train_until_stopped);
}

}  // namespace lathe
