#include "lathe/train/trainable.h"

#include <charconv>
#include <set>

#include "lathe/io/glob.h"

namespace lathe {
namespace {

constexpr std::string_view last_layers = "last_layers(";

/// The n of "last_layers(n)".
int64_t layers_wanted(const std::string& entry, int64_t layers) {
  const char* const begin = entry.data() + last_layers.size();
  const char* const end = entry.data() + entry.size();
  int64_t count = 0;
  const auto [rest, error] = std::from_chars(begin, end, count);
  require(error == std::errc() && std::string_view(rest, end) == ")",
          "trainable: expected last_layers(n) with a number, found {}", entry);
  require(count >= 1 && count <= layers, "trainable: {}: the model has {} layers", entry, layers);
  return count;
}

/// Whether one entry of `trainable` means a weight.
bool means(const std::string& entry, const NamedTensor& weight, Model& model) {
  if (entry == "all") return true;
  if (entry == "head")
    return model.is_classifier() ? weight.name == "score.weight"
                                 : weight.tensor->is_same(model.output_weight());
  if (entry.starts_with(last_layers)) {
    const int64_t layers = model.config().num_hidden_layers;
    return layer_of(weight.name) >= layers - layers_wanted(entry, layers);
  }
  return matches_glob(entry, weight.name);
}

}  // namespace

std::vector<NamedTensor> trainable_weights(Model& model, const std::vector<std::string>& chosen) {
  require(!chosen.empty(), "trainable: expected weights to train, found none");
  const std::vector<NamedTensor> all = model.named_tensors();
  std::set<std::string> names;
  for (const std::string& entry : chosen) {
    bool any = false;
    for (const NamedTensor& weight : all) {
      if (!means(entry, weight, model)) continue;
      any = true;
      names.insert(weight.name);
    }
    require(any,
            "trainable: {} means none of the model's {} weights: expected all, head, "
            "last_layers(n), or a pattern over names such as {}",
            entry, all.size(), all.back().name);
  }
  std::vector<NamedTensor> weights;
  for (const NamedTensor& weight : all)
    if (names.contains(weight.name)) weights.push_back(weight);
  return weights;
}

}  // namespace lathe
