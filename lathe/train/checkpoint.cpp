#include "lathe/train/checkpoint.h"

#include <unistd.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "lathe/base/hash.h"
#include "lathe/io/json.h"
#include "lathe/io/safetensors.h"
#include "lathe/model/files.h"

namespace lathe {
namespace {

using nlohmann::json;

constexpr int64_t format_version = 1;
constexpr const char* tensor_file = "training.safetensors";
constexpr const char* state_file = "state.json";
constexpr const char* manifest_file = "manifest.json";
constexpr std::string_view step_prefix = "step-";
constexpr std::string_view unfinished_prefix = "tmp-";

/// The three tensors of a parameter and their names in the file.
std::vector<std::pair<std::string, Tensor>> tensors_of(const Optimizer::Parameter& p) {
  return {{"weight." + p.name, p.weight.detach()},
          {"exp_avg." + p.name, p.exp_avg},
          {"exp_avg_sq." + p.name, p.exp_avg_sq}};
}

json manifest_of(const fs::path& folder) {
  json files = json::array();
  for (const char* name : {tensor_file, state_file})
    files.push_back({{"name", name},
                     {"bytes", fs::file_size(folder / name)},
                     {"xxh3_128", file_hash(folder / name)}});
  return {{"format_version", format_version}, {"files", files}};
}

}  // namespace

Checkpoints::Checkpoints(fs::path folder, int64_t keep) : folder_(std::move(folder)), keep_(keep) {
  file_ops().make_directories(folder_);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_))
    if (entry.path().filename().string().starts_with(unfinished_prefix))
      file_ops().remove_all(entry.path());
}

fs::path Checkpoints::path(int64_t step) const {
  return folder_ / format("{}{:09}", step_prefix, step);
}

void Checkpoints::save(int64_t step, Optimizer& optimizer, const json& state) {
  const Context saving("saving a checkpoint at step {}", step);
  if (fs::exists(path(step)))
    file_ops().remove_all(path(step));  // damaged: it was not resumed from
  const fs::path temporary = folder_ / format("{}{}.{}", unfinished_prefix, step, ::getpid());
  file_ops().make_directories(temporary);
  try {
    std::vector<Tensor> on_cpu;  // lives until the file is written
    std::vector<TensorView> views;
    for (const Optimizer::Parameter& p : optimizer.parameters())
      for (const auto& [name, tensor] : tensors_of(p)) {
        on_cpu.push_back(tensor.to(at::kCPU).contiguous());
        views.push_back(view_of(name, on_cpu.back()));
      }
    write_safetensors(temporary / tensor_file, views);
    write_file(temporary / state_file, state.dump(1) + "\n");
    write_file(temporary / manifest_file, manifest_of(temporary).dump(1) + "\n");
    publish_directory(temporary, path(step));
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    throw;
  }
  const std::vector<int64_t> all = steps();
  for (size_t i = static_cast<size_t>(keep_); i < all.size(); ++i)
    file_ops().remove_all(path(all[i]));
}

std::vector<int64_t> Checkpoints::steps() const {
  std::vector<int64_t> list;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(step_prefix)) continue;
    int64_t step = 0;
    const char* const begin = name.data() + step_prefix.size();
    const char* const end = name.data() + name.size();
    if (const auto [last, error] = std::from_chars(begin, end, step);
        error == std::errc() && last == end)
      list.push_back(step);
  }
  std::sort(list.rbegin(), list.rend());
  return list;
}

void Checkpoints::verify(int64_t step) const {
  const Context checking("checking {}", path(step).string());
  const json manifest = load_json(path(step) / manifest_file, 1 << 20);
  require(get_int(manifest, "format_version") == format_version,
          "expected format_version {}, found {}", format_version,
          get_int(manifest, "format_version"));
  const json& files = get_array(manifest, "files");
  require(files.size() == 2, "{}: expected 2 files, found {}", manifest_file, files.size());
  for (const json& entry : files) {
    const std::string name = get_string(entry, "name");
    require(name == tensor_file || name == state_file, "{}: unexpected file name", manifest_file);
    const fs::path file = path(step) / name;
    require(fs::exists(file), "{} is missing", name);
    require(fs::file_size(file) == static_cast<uint64_t>(get_int(entry, "bytes", 0)) &&
                file_hash(file) == get_string(entry, "xxh3_128"),
            "{} is damaged: its content is not what was written", name);
  }
}

json Checkpoints::load(int64_t step, Optimizer& optimizer) const {
  const Context loading("loading {}", path(step).string());
  const at::NoGradGuard no_grad;
  const SafetensorsFile file(path(step) / tensor_file);
  for (const Optimizer::Parameter& p : optimizer.parameters())
    for (const auto& [name, tensor] : tensors_of(p)) {
      const TensorInfo& info = file.at(name);
      require(info.shape == tensor.sizes().vec(), "tensor {}: expected the shape {}, found ({})",
              name, tensor.sizes(), fmt::join(info.shape, ", "));
      tensor.copy_(tensor_of(info, file.data(info)));
    }
  require(file.tensors().size() == 3 * optimizer.parameters().size(),
          "expected {} tensors, found {}", 3 * optimizer.parameters().size(),
          file.tensors().size());
  return load_json(path(step) / state_file, 100'000'000);
}

}  // namespace lathe
