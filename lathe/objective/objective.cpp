#include "lathe/objective/objective.h"

namespace lathe {

Tensor RowGroup::of(const Tensor& tensor) const {
  if (rows.empty()) return tensor;
  return tensor.index_select(0, at::tensor(rows, at::kLong).to(tensor.device()));
}

std::string term_of_adapter(const std::string& name, int64_t adapter) {
  return adapter < 0 ? name : format("{}.{}", name, adapter);
}

std::vector<RowGroup> row_groups(const Batch& batch, const std::string& name) {
  if (batch.adapters.empty()) return {{name, {}}};
  std::map<int64_t, std::vector<int64_t>> rows;
  for (size_t i = 0; i < batch.adapters.size(); ++i)
    rows[batch.adapters[i]].push_back(static_cast<int64_t>(i));
  std::vector<RowGroup> groups;
  for (auto& [adapter, list] : rows)
    groups.push_back({term_of_adapter(name, adapter), std::move(list)});
  return groups;
}

}  // namespace lathe
