#include "lathe/optim/options.h"

namespace lathe {

void OptimizerOptions::fields(Fields& f) {
  f.group("Optimizer");
  f("learning_rate", learning_rate, "Peak learning rate.", {.above = 0, .aliases = {"lr"}});
  f("lr_scheduler_type", lr_scheduler_type,
    "How the learning rate changes after warm-up: constant, falling to min_lr_rate linearly or "
    "along a "
    "cosine, or constant and falling at the end.",
    {.choices = {"linear", "cosine", "cosine_with_min_lr", "constant", "constant_with_warmup",
                 "warmup_stable_decay"},
     .aliases = {"lr_scheduler"}});
  f("warmup_steps", warmup_steps, "Steps over which the learning rate rises from 0.",
    {.minimum = 0, .unit = "steps"});
  f("warmup_ratio", warmup_ratio, "The same as a share of all steps, where warmup_steps is 0.",
    {.minimum = 0, .maximum = 1});
  f("min_lr_rate", min_lr_rate, "Share of the peak at which the learning rate ends.",
    {.minimum = 0, .maximum = 1, .aliases = {"min_lr_ratio"}});
  f("decay_ratio", decay_ratio, "warmup_stable_decay: share of all steps in which it falls.",
    {.minimum = 0, .maximum = 1});
  f("weight_decay", weight_decay, "Pull to zero, on matrices only: not on norms and biases.",
    {.minimum = 0});
  f("max_grad_norm", max_grad_norm, "Gradients of a larger norm are scaled down to it; 0: never.",
    {.minimum = 0, .aliases = {"gradient_clipping"}});
  f("adam_beta1", adam_beta1, "Memory of the mean gradient.", {.minimum = 0, .below = 1});
  f("adam_beta2", adam_beta2, "Memory of the mean squared gradient.", {.minimum = 0, .below = 1});
  f("adam_epsilon", adam_epsilon, "Added to the root of the mean squared gradient.", {.above = 0});
  f("ema_decay", ema_decay,
    "Validate, and end with, the moving average of the weights, of which each step keeps so much "
    "(in the first steps t at most (1 + t) / (10 + t)); 0: the weights themselves.",
    {.minimum = 0, .below = 1});
}

}  // namespace lathe
