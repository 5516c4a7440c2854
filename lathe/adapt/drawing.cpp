#include "lathe/adapt/drawing.h"

#include <algorithm>

namespace lathe {
namespace {

using Position = SiteModule::Position;

/// The path of the data, A being the adapter.
const char* path_of(Position position) {
  switch (position) {
    case Position::beside:
      return "beside (parallel):\n"
             "  x --+--[ layer ]--(+)-->\n"
             "      |              |\n"
             "      +-----[ A ]----+\n";
    case Position::behind:
      return "behind (sequential):\n"
             "  x --[ layer ]--+-----------(+)-->\n"
             "                 |            |\n"
             "                 +----[ A ]---+\n";
    case Position::behind_addition:
      return "behind the addition (sequential):\n"
             "  x --+--[ layer ]--+-------------(+)-->\n"
             "      |             |              |\n"
             "      +------------(+)---[ A ]-----+\n";
    case Position::factor_of_input:
      return "factors of what it reads:\n  x --( * l )--[ layer ]-->\n";
    case Position::factor_of_output:
      return "factors of what it gives:\n  x --[ layer ]--( * l )-->\n";
  }
  return "";
}

/// A module without the number of its layer.
struct DrawnPlace {
  std::string name;  // "self_attn.q_proj"; "the whole layer"; the whole name outside of layers
  std::string description;  // "LoRA, r 8"
  Position position;
  int64_t numbers;
  bool operator==(const DrawnPlace&) const = default;
};

DrawnPlace place_of(SiteModule& module) {
  int64_t numbers = 0;
  for (const NamedTensor& each : module.tensors()) numbers += each.tensor->numel();
  const std::string& name = module.site().name;
  const int64_t layer = layer_of(name + ".");
  const std::string number = format(".{}", layer);
  const size_t at = layer < 0 ? name.npos : name.find(number);
  std::string rest = at == name.npos ? name : name.substr(at + number.size());
  if (at != name.npos) rest = rest.empty() ? "the whole layer" : rest.substr(1);
  return {rest, module.describe(), module.position(), numbers};
}

/// Consecutive layers whose places are the same; -1: outside of layers.
struct Layers {
  int64_t first, last;
  std::vector<DrawnPlace> places;
};

std::vector<Layers> layers_of(Adapter& adapter) {
  std::vector<Layers> single;
  for (const auto& module : adapter.modules()) {
    const int64_t layer = layer_of(module->site().name + ".");
    if (single.empty() || single.back().first != layer) single.push_back({layer, layer, {}});
    single.back().places.push_back(place_of(*module));
  }
  std::vector<Layers> groups;
  for (Layers& each : single) {
    const bool alike = !groups.empty() && groups.back().places == each.places &&
                       groups.back().last + 1 == each.first;
    if (alike)
      groups.back().last = each.last;
    else
      groups.push_back(std::move(each));
  }
  return groups;
}

std::string title_of(const Layers& layers) {
  if (layers.first < 0) return "outside of the layers";
  if (layers.first == layers.last) return format("layer {}", layers.first);
  return format("layers {} to {}, each", layers.first, layers.last);
}

}  // namespace

int64_t trained_numbers(Adapter& adapter) {
  int64_t numbers = 0;
  for (const NamedTensor& each : adapter.named_tensors()) numbers += each.tensor->numel();
  return numbers;
}

std::string draw(Adapter& adapter, Model& model) {
  const auto all = static_cast<double>(model.parameter_count());
  const int64_t numbers = trained_numbers(adapter);
  std::string text = format("{}: {} parameters, {:.3g} % of the model, at {} places\n",
                            adapter.options().peft_type, numbers,
                            100 * static_cast<double>(numbers) / all, adapter.modules().size());
  std::vector<Position> positions;
  const std::vector<Layers> groups = layers_of(adapter);
  size_t width = 22;  // of the longest name
  for (const Layers& layers : groups)
    for (const DrawnPlace& place : layers.places) width = std::max(width, place.name.size());
  for (const Layers& layers : groups) {
    text += format("\n{}\n", title_of(layers));
    for (const DrawnPlace& place : layers.places) {
      text +=
          format("  {:<{}}  {:<32}{:>10}\n", place.name, width, place.description, place.numbers);
      if (std::ranges::find(positions, place.position) == positions.end())
        positions.push_back(place.position);
    }
  }
  for (const Position position : positions) text += format("\n{}", path_of(position));
  return text;
}

}  // namespace lathe
