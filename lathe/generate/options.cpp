#include "lathe/generate/options.h"

namespace lathe {

void SamplingOptions::fields(Fields& f) {
  f.group("Sampling");
  f("max_new_tokens", max_new_tokens, "Longest continuation.", {.minimum = 1, .unit = "tokens"});
  draw.fields(f);
  f("stop", stop, "Texts that end a continuation; they are not part of it.",
    {.placeholder = "TEXT"});
  f("seed", seed, "The same seed draws the same text.", {.minimum = 0});
}

}  // namespace lathe
