#include "lathe/io/model_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "lathe/base/error.h"
#include "lathe/io/gguf.h"
#include "lathe/io/json.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

using nlohmann::json;

constexpr std::string_view suffix = ".safetensors";

bool is_pickle(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".bin" || extension == ".pt" || extension == ".pth" || extension == ".ckpt";
}

[[noreturn]] void refuse_pickle(std::string_view name) {
  fail(
      "{} is a pickle, which can run any program when it is read, so Lathe has no reader for it. "
      "Convert it where you trust it, in Python: "
      "AutoModelForCausalLM.from_pretrained(DIR).save_pretrained(OUT)",
      name);
}

/// Why there are no weights: what was there instead.
[[noreturn]] void fail_without_weights(const fs::path& directory, const std::string& stem) {
  require(fs::is_directory(directory), "expected a model directory, found {}",
          fs::exists(directory) ? "a file" : "nothing");
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (is_pickle(entry.path())) refuse_pickle(show_text(entry.path().filename().string()));
    names.push_back(show_text(entry.path().filename().string()));
  }
  std::ranges::sort(names);
  constexpr size_t most = 10;
  const bool more = names.size() > most;
  if (more) names.resize(most);
  fail("expected {0}{1} or {0}{1}.index.json, found {2}{3}", stem, suffix,
       names.empty() ? "an empty directory" : fmt::format("{}", fmt::join(names, ", ")),
       more ? ", ..." : "");
}

void check_shard_name(const std::string& name) {
  const bool plain = name.find_first_of(std::string_view("/\\\0", 3)) == name.npos &&
                     !name.starts_with('.') && name.size() > suffix.size();
  if (plain && is_pickle(name)) refuse_pickle(show_text(name));
  if (!plain || !name.ends_with(suffix))
    fail("\"weight_map\": expected the plain name of a .safetensors file, found {}",
         show_text(name));
}

/// The file `name` of the directory with its links resolved, which must not lead elsewhere.
fs::path contained(const fs::path& directory, const std::string& name) {
  std::error_code error;
  const fs::path file = fs::canonical(directory / name, error);
  require(!error, "opening {}: {}", (directory / name).string(), error.message());
  const fs::path home = fs::canonical(directory);
  if (*file.lexically_relative(home).begin() != "..") return file;
  // The cache of Hugging Face: models--A--B/snapshots/REVISION/NAME -> models--A--B/blobs/HASH
  const fs::path snapshots = home.parent_path();
  if (snapshots.filename() == "snapshots" &&
      file.parent_path() == snapshots.parent_path() / "blobs")
    return file;
  fail("{} is a link to {}, outside of the model's directory: put the file itself there",
       (directory / name).string(), file.string());
}

/// Tensor names by shard.
std::map<std::string, std::set<std::string>> read_index(const fs::path& path) {
  const json index = load_json(path);
  const Context doing("reading {}", path.string());
  require(index.is_object(), "expected an object, found {}", show_json(index));
  std::map<std::string, std::set<std::string>> shards;
  for (const auto& [name, shard] : get_object(index, "weight_map").items()) {
    if (!shard.is_string())
      fail("\"weight_map\": {}: expected a file name, found {}", show_text(name), show_json(shard));
    shards[shard.get<std::string>()].insert(name);
  }
  for (const auto& [shard, names] : shards) check_shard_name(shard);
  return shards;
}

void check_shard(const SafetensorsFile& file, const std::set<std::string>& expected) {
  for (const std::string& name : expected)
    if (file.find(name) == nullptr)
      fail(
          "the index says that tensor {} is in it, but it is not: are shard and index of the same "
          "model?",
          show_text(name));
  for (const TensorInfo& tensor : file.tensors())
    if (!expected.contains(tensor.name))
      fail(
          "it holds tensor {}, which the index does not place there: are shard and index of the "
          "same model?",
          show_text(tensor.name));
}

}  // namespace

ModelFiles::ModelFiles(const fs::path& directory, const std::string& stem) {
  const Context doing("opening the weights in {}", directory.string());
  const std::string single = stem + std::string(suffix);
  const std::string index = single + ".index.json";
  if (fs::exists(fs::symlink_status(directory / single))) {
    add(contained(directory, single));
  } else if (fs::exists(fs::symlink_status(directory / index))) {
    open_shards(directory, contained(directory, index));
  } else {
    fail_without_weights(directory, stem);
  }
  std::vector<size_t> order(tensors_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) { return std::string_view(tensors_[i].name); });
  std::vector<TensorInfo> tensors;
  std::vector<size_t> shard_of;
  for (const size_t i : order) {
    tensors.push_back(std::move(tensors_[i]));
    shard_of.push_back(shard_of_[i]);
  }
  tensors_ = std::move(tensors);
  shard_of_ = std::move(shard_of);
}

void ModelFiles::open_shards(const fs::path& directory, const fs::path& index) {
  for (const auto& [shard, names] : read_index(index)) {
    add(contained(directory, shard));
    const Context doing("reading {}", (directory / shard).string());
    check_shard(shards_.back(), names);
  }
}

void ModelFiles::add(const fs::path& file) {
  shards_.emplace_back(file);
  files_.push_back(file);
  for (const TensorInfo& tensor : shards_.back().tensors()) {
    tensors_.push_back(tensor);
    shard_of_.push_back(shards_.size() - 1);
  }
}

const std::map<std::string, std::string>& ModelFiles::metadata() const {
  static const std::map<std::string, std::string> none;
  return shards_.empty() ? none : shards_.front().metadata();
}

std::span<const std::byte> ModelFiles::data(const TensorInfo& tensor) const {
  const size_t index = find_tensor(tensors_, tensor.name);
  if (index == tensors_.size()) fail("tensor {} is not of this model", show_text(tensor.name));
  return shards_[shard_of_[index]].data(tensors_[index]);
}

std::unique_ptr<TensorSource> open_weights(const fs::path& path) {
  if (fs::is_directory(path)) return std::make_unique<ModelFiles>(path);
  if (is_pickle(path)) refuse_pickle(path.string());
  if (is_gguf(path)) return std::make_unique<GgufFile>(path);
  return std::make_unique<SafetensorsFile>(path);
}

}  // namespace lathe
