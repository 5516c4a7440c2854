#include "lathe/adapt/options.h"

#include <cmath>

#include "lathe/base/error.h"

namespace lathe {

void AdapterOptions::fields(Fields& f) {
  f.unsupported("lora_dropout", "leave it out: adapters are trained without dropout");
  f.unsupported("bias", "leave it out: biases of the model stay as they are");
  f("peft_type", peft_type, "LORA: low-rank matrices beside linear layers (Hu et al. 2021).",
    {.choices = {"", "LORA"}});
  f("r", r, "Rank of the matrices.", {.minimum = 1, .maximum = 1 << 16});
  f("lora_alpha", lora_alpha, "They are scaled by lora_alpha / r.", {.above = 0});
  f("target_modules", target_modules,
    "The layers, by the ends of their names, such as q_proj; all-linear: every linear layer but "
    "the "
    "output layer.",
    {.placeholder = "NAMES"});
  f("exclude_modules", exclude_modules,
    "Layers of these that get none, by the ends of their names.", {.placeholder = "NAMES"});
  f("layers_to_transform", layers_to_transform, "Numbers of the layers, from 0; none: all.");
  f("modules_to_save", modules_to_save,
    "Modules of the model that are trained whole, and saved with the adapter, by the ends of their "
    "names.",
    {.placeholder = "NAMES"});
  f("use_rslora", use_rslora, "Scale by lora_alpha / sqrt(r) (Kalajdzievski 2023).");
  f("use_dora", use_dora, "Train the size of each weight's rows beside (Liu et al. 2024).");
}

void AdapterOptions::check() const {
  const auto positive = [](const auto& map, const char* name) {
    for (const auto& [key, value] : map)
      require(std::isfinite(static_cast<double>(value)) && value > 0,
              "{}: {}: expected a number above 0, found {}", name, key, value);
  };
  require(r >= 1 && r <= 1 << 16, "r: expected 1 to 65536, found {}", r);
  require(std::isfinite(lora_alpha) && lora_alpha > 0,
          "lora_alpha: expected a number above 0, found {}", lora_alpha);
  positive(rank_pattern, "rank_pattern");
  positive(alpha_pattern, "alpha_pattern");
  require(!target_modules.empty(), "target_modules: expected names of layers, found none");
}

}  // namespace lathe
