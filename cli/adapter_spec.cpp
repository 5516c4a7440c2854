#include "cli/adapter_spec.h"

#include "lathe/io/utf8.h"

namespace lathe {

void AdapterSpec::fields(Fields& f) {
  f("path", path, "Directory of an adapter to go on with; leave it out to make a new one.",
    {.placeholder = "DIR"});
  f("name", name,
    "Of one of several adapters that are trained at once: only rows whose column adapter says this "
    "name use and train it.");
  f("loss_weight", loss_weight,
    "What the loss of its rows is multiplied with, before clipping; AdamW itself takes no notice.",
    {.above = 0});
  f("learning_rate", learning_rate, "Its own, at its largest; by default the run's.", {.above = 0});
  f("max_grad_norm", max_grad_norm, "To which its own gradients are clipped; by default the run's.",
    {.minimum = 0});
  options.fields(f);
}

void AdapterSpec::check() const {
  const bool settings = !same_value(to_value(options), to_value(AdapterOptions()));
  require(path.empty() || !settings,
          "\"adapter\": expected either a directory or the settings of a new one");
  require(!path.empty() || !options.peft_type.empty(),
          "\"adapter\": expected peft_type, such as LORA, beside its settings");
  const bool plain =
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
      std::string::npos;
  require(
      plain && name.size() <= 100 && name != "eval",
      "\"adapter\": name: expected at most 100 letters, digits, _ and -, but not eval, found {}",
      show_text(name));
  require(
      !name.empty() || (loss_weight == 1 && !learning_rate && !max_grad_norm),
      "\"adapter\": loss_weight, learning_rate and max_grad_norm of an adapter's own are for one "
      "of several that rows choose between: give it a name");
}

}  // namespace lathe
