#include <algorithm>
#include <nlohmann/json.hpp>

#include "lathe/base/error.h"
#include "lathe/io/model_files.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

using nlohmann::json;

struct Shards {
  std::vector<std::vector<TensorView>> shards;
  uint64_t total_bytes = 0;
  uint64_t total_elements = 0;
};

Shards split(std::span<const TensorView> tensors, uint64_t max_shard_bytes) {
  Shards result;
  std::vector<TensorView> shard;
  uint64_t shard_bytes = 0;
  for (const TensorView& tensor : tensors) {
    const auto bytes = tensor_bytes(tensor.dtype, tensor.shape);
    if (!bytes || __builtin_add_overflow(result.total_bytes, *bytes, &result.total_bytes))
      fail("tensor {}: {} has no whole number of bytes below 2^63", show_text(tensor.name),
           describe_tensor(tensor.dtype, tensor.shape));
    result.total_elements += *bytes * 8 / static_cast<uint64_t>(dtype_bits(tensor.dtype));
    if (*bytes > max_shard_bytes) {
      result.shards.push_back({tensor});
      continue;
    }
    if (shard_bytes + *bytes > max_shard_bytes) {
      result.shards.push_back(std::exchange(shard, {}));
      shard_bytes = 0;
    }
    shard.push_back(tensor);
    shard_bytes += *bytes;
  }
  if (!shard.empty() || result.shards.empty()) result.shards.push_back(std::move(shard));
  return result;
}

bool is_weight_file(const std::string& name, const std::string& stem) {
  if (name == stem + ".safetensors" || name == stem + ".safetensors.index.json") return true;
  return name.starts_with(stem + "-") && name.ends_with(".safetensors");
}

/// Files of an earlier model between ours would be read as part of it, or instead of it.
void check_free_of_weights(const fs::path& directory, const std::string& stem) {
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (is_weight_file(name, stem))
      fail("there are weights already ({}): remove them, or choose another directory",
           show_text(name));
  }
}

void check_tensor_names(std::span<const TensorView> tensors) {
  std::vector<std::string_view> names;
  for (const TensorView& tensor : tensors) names.push_back(tensor.name);
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) fail("tensor {} is there twice", show_text(*twice));
}

}  // namespace

std::vector<fs::path> write_model_files(const fs::path& directory,
                                        std::span<const TensorView> tensors,
                                        uint64_t max_shard_bytes,
                                        const std::map<std::string, std::string>& metadata,
                                        const std::string& stem) {
  const Context doing("writing the weights to {}", directory.string());
  check_tensor_names(tensors);
  const Shards split_up = split(tensors, max_shard_bytes);
  file_ops().make_directories(directory);
  check_free_of_weights(directory, stem);
  std::vector<fs::path> written;
  const size_t count = split_up.shards.size();
  if (count == 1) {
    written.push_back(directory / (stem + ".safetensors"));
    write_safetensors_atomic(written.back(), split_up.shards[0], metadata);
    return written;
  }
  json weight_map = json::object();
  for (size_t i = 0; i < count; ++i) {
    const std::string name = format("{}-{:05}-of-{:05}.safetensors", stem, i + 1, count);
    write_safetensors_atomic(directory / name, split_up.shards[i], metadata);
    written.push_back(directory / name);
    for (const TensorView& tensor : split_up.shards[i]) weight_map[tensor.name] = name;
  }
  const json index = {
      {"metadata",
       {{"total_parameters", split_up.total_elements}, {"total_size", split_up.total_bytes}}},
      {"weight_map", std::move(weight_map)}};
  written.push_back(directory / (stem + ".safetensors.index.json"));
  write_file_atomic(written.back(), index.dump(2) + "\n");
  return written;
}

}  // namespace lathe
