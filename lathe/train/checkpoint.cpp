#include "lathe/train/checkpoint.h"

#include <unistd.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "lathe/base/hash.h"
#include "lathe/io/json.h"
#include "lathe/model/tensor_file.h"

namespace lathe {
namespace {

using nlohmann::json;

constexpr int64_t format_version = 1;
constexpr const char* tensor_file = "training.safetensors";
constexpr const char* state_file = "state.json";
constexpr const char* manifest_file = "manifest.json";
constexpr std::string_view step_prefix = "step-";
constexpr std::string_view unfinished_prefix = "tmp-";

/// The tensors of each parameter, by their names in the file.
NamedTensors tensors_of(Optimizer& optimizer) {
  NamedTensors list;
  for (const Optimizer::Parameter& p : optimizer.parameters()) {
    list.emplace_back("weight." + p.name, p.weight.detach());
    list.emplace_back("exp_avg." + p.name, p.exp_avg);
    list.emplace_back("exp_avg_sq." + p.name, p.exp_avg_sq);
    if (optimizer.has_averages()) list.emplace_back("average." + p.name, p.average);
  }
  return list;
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
    write_tensors(temporary / tensor_file, tensors_of(optimizer));
    write_file(temporary / state_file, state.dump(1) + "\n");
    write_file(temporary / manifest_file, manifest_of(temporary).dump(1) + "\n");
    publish_directory(temporary, path(step));
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    throw;
  }
  int64_t kept = 0;
  for (const int64_t each : steps())  // a later one was damaged: the run went back before it
    if (each > step || ++kept > keep_) file_ops().remove_all(path(each));
}

std::vector<int64_t> Checkpoints::steps() const {
  std::vector<int64_t> list;
  if (!fs::exists(folder_)) return list;
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
  read_tensors(path(step) / tensor_file, tensors_of(optimizer));
  return load_json(path(step) / state_file, 100'000'000);
}

}  // namespace lathe
