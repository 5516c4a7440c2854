#include "lathe/model/stored_weight.h"

namespace lathe {

std::vector<int64_t> StoredWeight::shape_of(std::vector<int64_t> weight) const {
  if (place.parts > 1) weight.at(0) *= place.parts;
  if (place.experts > 0) weight.insert(weight.begin(), place.experts);
  return weight;
}

Tensor StoredWeight::part_of(const Tensor& whole) const {
  const Tensor entry = place.experts > 0 ? whole.select(0, place.expert) : whole;
  if (place.parts == 1) return entry;
  const int64_t rows = entry.size(0) / place.parts;
  return entry.narrow(0, place.part * rows, rows);
}

std::optional<StoredWeight> find_weight(const TensorSource& source, const std::string& weight,
                                        const ModelConfig& config) {
  const Family& family = family_of(config.model_type);
  std::vector<StoredPlace> places = {{weight}};
  if (family.places != nullptr)
    for (StoredPlace& place : family.places(weight, config)) places.push_back(std::move(place));
  for (StoredPlace& place : places)
    if (const TensorInfo* tensor = source.find(place.tensor))
      return StoredWeight{tensor, std::move(place)};
  return std::nullopt;
}

StoredWeight weight_at(const TensorSource& source, const std::string& weight,
                       const ModelConfig& config) {
  if (auto found = find_weight(source, weight, config)) return *std::move(found);
  return {&source.at(weight), {weight}};
}

}  // namespace lathe
