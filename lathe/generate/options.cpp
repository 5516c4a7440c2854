#include "lathe/generate/options.h"

namespace lathe {

void SamplingOptions::fields(Fields& f) {
  f.group("Sampling");
  f("max_new_tokens", max_new_tokens, "Longest continuation.", {.minimum = 1, .unit = "tokens"});
  f("temperature", temperature,
    "Below 1 prefers likely tokens, above 1 unlikely ones; 0 always takes the likeliest (greedy).",
    {.minimum = 0});
  f("top_k", top_k, "Draw among the k likeliest tokens; 0: all.", {.minimum = 0});
  f("top_p", top_p, "Draw among the likeliest tokens that have this probability together; 1: all.",
    {.above = 0, .maximum = 1});
  f("min_p", min_p, "Drop tokens less likely than this share of the likeliest; 0: none.",
    {.minimum = 0, .maximum = 1});
  f("repetition_penalty", repetition_penalty,
    "Above 1 makes tokens that were there already less likely.", {.above = 0});
  f("stop", stop, "Texts that end a continuation; they are not part of it.",
    {.placeholder = "TEXT"});
  f("seed", seed, "The same seed draws the same text.", {.minimum = 0});
}

}  // namespace lathe
