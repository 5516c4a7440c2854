#include "lathe/train/options.h"

namespace lathe {

namespace {

/// What people move over from recipes of other programs, and Lathe says otherwise.
void foreign_names(Fields& f) {
  f.unsupported("fp16", "use bf16, which needs no scaling of the loss");
  f.unsupported("tf32", "leave it out: products are bfloat16 with bf16, float32 without");
  f.unsupported("eval_strategy", "eval_steps says when, 0 only at the end");
  f.unsupported("save_strategy", "save_steps says when, 0 only at the end");
  f.unsupported("evaluation_strategy", "eval_steps says when, 0 only at the end");
  f.unsupported("logging_strategy", "logging_steps says when");
  f.unsupported("resume_from_checkpoint",
                "leave it out: the same command goes on from its newest checkpoint");
  f.unsupported("overwrite_output_dir", "give --overwrite on the command line");
  f.unsupported("optim", "leave it out: the optimizer is AdamW");
  f.unsupported("group_by_length",
                "leave it out: packing fills rows without padding, which is what it is for");
  f.unsupported("label_smoothing_factor", "leave it out: targets are not smoothed");
  f.unsupported("lr_scheduler_kwargs", "min_lr_rate and decay_ratio are options by themselves");
  f.unsupported("gradient_checkpointing_kwargs", "leave it out: there is one way");
  f.unsupported("remove_unused_columns", "leave it out: columns that are not used are passed over");
  f.unsupported("data_seed", "seed is that of the data too");
  f.unsupported("report_to", "leave it out: metrics are lines of metrics.jsonl in output_dir");
  f.unsupported("push_to_hub", "leave it out: Lathe uses no network; the result is in output_dir");
  f.unsupported("torch_compile", "leave it out: operations are compiled already");
  f.unsupported("attn_implementation", "leave it out: there is one attention");
  f.unsupported("flash_attention", "leave it out: there is one attention");
  f.unsupported("dataloader_num_workers", "leave it out: data is encoded once, before training");
  f.unsupported("dataset_num_proc", "leave it out: data is encoded once, on all cores");
  f.unsupported("deepspeed", "leave it out: a run is one process");
  f.unsupported("fsdp", "leave it out: a run is one process");
  f.unsupported("finetuning_type", "trainable says which weights change");
  f.unsupported("freeze_trainable_layers", "use trainable: [last_layers(n)]");
  f.unsupported("trust_remote_code", "leave it out: Lathe runs no code of models");
}

}  // namespace

void TrainOptions::fields(Fields& f) {
  foreign_names(f);
  f.group("Run");
  f("output_dir", output_dir,
    "Folder of the run: recipe, metrics, checkpoints/, and the result in model/ or adapter/.",
    {.placeholder = "DIR", .required = true});
  f("max_steps", max_steps, "Optimizer steps; -1: as many as num_train_epochs take.",
    {.minimum = -1, .unit = "steps"});
  f("num_train_epochs", num_train_epochs, "Times the training data is gone through.",
    {.above = 0, .aliases = {"num_epochs", "epochs"}});
  f("gradient_accumulation_steps", gradient_accumulation_steps, "Batches in one optimizer step.",
    {.minimum = 1});
  f("trainable", trainable,
    "The weights that change: all, head (the output layer), last_layers(n), or patterns over names "
    "such as *.norm.weight; several add up.",
    {.placeholder = "WEIGHTS"});
  f("bf16", bf16, "Compute in bfloat16, with float32 weights, gradients and moments.");
  f("gradient_checkpointing", gradient_checkpointing,
    "Compute activations again in the backward pass: less memory, a third more time.");
  f("neftune_noise_alpha", neftune_noise_alpha,
    "Noise on the embeddings while training, so that answers do not stick to the wording of the "
    "examples: uniform, up to this over the root of (tokens of a text x hidden size); 0: none.",
    {.minimum = 0});
  f("frozen_cache", frozen_cache,
    "If the lowest layers do not change: compute what they make of the texts once, keep it in a "
    "file, and read it in every later epoch. Files lie in cache_dir/states.");
  f("frozen_cache_limit", frozen_cache_limit,
    "What these files may take in all; those not used for the longest time are removed.",
    {.above = 0, .unit = "GB"});
  f("seed", seed, "Of everything random.", {.minimum = 0});
  f("logging_steps", logging_steps, "Steps from one line of metrics to the next.",
    {.minimum = 1, .unit = "steps"});
  f("eval_steps", eval_steps, "Steps from one validation to the next; 0: only at the end.",
    {.minimum = 0, .unit = "steps"});
  f("eval_on_start", eval_on_start, "Validate before the first step too.");
  f("save_steps", save_steps, "Steps from one checkpoint to the next; 0: only at the end.",
    {.minimum = 0, .unit = "steps"});
  f("save_total_limit", save_total_limit, "Checkpoints kept: the newest.", {.minimum = 1});
  best.fields(f);
  optimizer.fields(f);
}

}  // namespace lathe
