#include "lathe/train/options.h"

namespace lathe {

void TrainOptions::fields(Fields& f) {
  f.group("Run");
  f("output_dir", output_dir,
    "Folder of the run: recipe, metrics, checkpoints/, and the result in model/.",
    {.placeholder = "DIR", .required = true});
  f("max_steps", max_steps, "Optimizer steps; -1: as many as num_train_epochs take.",
    {.minimum = -1, .unit = "steps"});
  f("num_train_epochs", num_train_epochs, "Times the training data is gone through.",
    {.above = 0, .aliases = {"num_epochs", "epochs"}});
  f("gradient_accumulation_steps", gradient_accumulation_steps, "Batches in one optimizer step.",
    {.minimum = 1});
  f("bf16", bf16, "Compute in bfloat16, with float32 weights, gradients and moments.");
  f("gradient_checkpointing", gradient_checkpointing,
    "Compute activations again in the backward pass: less memory, a third more time.");
  f("seed", seed, "Of everything random.", {.minimum = 0});
  f("logging_steps", logging_steps, "Steps from one line of metrics to the next.",
    {.minimum = 1, .unit = "steps"});
  f("eval_steps", eval_steps, "Steps from one validation to the next; 0: only at the end.",
    {.minimum = 0, .unit = "steps"});
  f("eval_on_start", eval_on_start, "Validate before the first step too.");
  f("save_steps", save_steps, "Steps from one checkpoint to the next; 0: only at the end.",
    {.minimum = 0, .unit = "steps"});
  f("save_total_limit", save_total_limit, "Checkpoints kept: the newest.", {.minimum = 1});
  optimizer.fields(f);
}

}  // namespace lathe
