#include "lathe/model/tensor_file.h"

#include "lathe/io/safetensors.h"
#include "lathe/model/files.h"

namespace lathe {

void write_tensors(const fs::path& file, const NamedTensors& tensors,
                   const std::map<std::string, std::string>& metadata) {
  std::vector<Tensor> on_cpu;  // lives until the file is written
  std::vector<TensorView> views;
  for (const auto& [name, tensor] : tensors) {
    on_cpu.push_back(tensor.to(at::kCPU).contiguous());
    views.push_back(view_of(name, on_cpu.back()));
  }
  write_safetensors_atomic(file, views, metadata);
}

void read_tensors(const fs::path& path, const NamedTensors& tensors) {
  const at::NoGradGuard no_grad;
  const SafetensorsFile file(path);
  for (const auto& [name, tensor] : tensors) {
    const TensorInfo& info = file.at(name);
    require(info.shape == tensor.sizes().vec(), "tensor {}: expected the shape {}, found ({})",
            name, tensor.sizes(), fmt::join(info.shape, ", "));
    tensor.copy_(tensor_of(info, file.data(info)));
  }
  require(file.tensors().size() == tensors.size(), "expected {} tensors, found {}", tensors.size(),
          file.tensors().size());
}

}  // namespace lathe
