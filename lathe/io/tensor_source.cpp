#include "lathe/io/tensor_source.h"

#include <algorithm>

#include "lathe/base/error.h"
#include "lathe/io/utf8.h"

namespace lathe {

size_t find_tensor(std::span<const TensorInfo> sorted, std::string_view name) {
  const auto found = std::ranges::lower_bound(sorted, name, {}, &TensorInfo::name);
  if (found == sorted.end() || found->name != name) return sorted.size();
  return static_cast<size_t>(found - sorted.begin());
}

const TensorInfo* TensorSource::find(std::string_view name) const {
  const std::span<const TensorInfo> all = tensors();
  const size_t index = find_tensor(all, name);
  return index == all.size() ? nullptr : &all[index];
}

const TensorInfo& TensorSource::at(std::string_view name) const {
  if (const TensorInfo* found = find(name)) return *found;
  // Names beyond these bounds are no slip of the pen, and comparing all of them would take long.
  constexpr size_t most = 10'000, longest = 200;
  std::vector<std::string> candidates;
  for (const TensorInfo& tensor : tensors().first(std::min(most, tensors().size())))
    if (tensor.name.size() <= longest) candidates.push_back(tensor.name);
  const std::string near = name.size() <= longest ? nearest(name, candidates) : "";
  fail("no tensor {} among the {} there{}", show_text(name, longest), tensors().size(),
       near.empty() ? "" : "; the nearest is " + show_text(near, longest));
}

std::string describe_tensor(DType dtype, std::span<const int64_t> shape) {
  return format("{} ({})", dtype_name(dtype), fmt::join(shape, ", "));
}

}  // namespace lathe
