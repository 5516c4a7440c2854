#include "lathe/generate/padded.h"

namespace lathe {

ModelInput padded(const std::vector<std::vector<int64_t>>& rows, at::Device device) {
  size_t longest = 0;
  std::vector<int64_t> counts;
  for (const std::vector<int64_t>& row : rows) {
    longest = std::max(longest, row.size());
    counts.push_back(static_cast<int64_t>(row.size()));
  }
  const Tensor ids =
      at::zeros({static_cast<int64_t>(rows.size()), static_cast<int64_t>(longest)}, at::kLong);
  for (size_t i = 0; i < rows.size(); ++i)
    std::ranges::copy(rows[i], ids.data_ptr<int64_t>() + i * longest);
  return {ids.to(device), {}, {}, counts};
}

}  // namespace lathe
