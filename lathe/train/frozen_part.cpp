#include "lathe/train/frozen_part.h"

#include <ATen/Version.h>
#include <torch/headeronly/version.h>

#include <nlohmann/json.hpp>
#include <set>

#include "lathe/base/made_folder.h"
#include "lathe/model/source_hash.h"
#include "lathe/train/trainable.h"

namespace lathe {
namespace {

constexpr int64_t tokens_at_once = 4096;  // that the layers read

/// The embeddings and the lowest layers: the weights listed before all others.
std::vector<NamedTensor> frozen_weights_of(Model& model, int64_t layers) {
  std::vector<NamedTensor> list;
  for (const NamedTensor& weight : model.named_tensors()) {
    const int64_t layer = layer_of(weight.name);
    const bool after_layers = layer < 0 && !list.empty() && layer_of(list.back().name) >= 0;
    if (layer >= layers || after_layers) break;
    list.push_back(weight);
  }
  return list;
}

/// A hash of all that decides what the layers make of any tokens.
std::string fingerprint(Model& model, const FrozenPart& part) {
  Hasher hasher;
  const nlohmann::json circumstances = {source_hash(),
                                        TORCH_VERSION,
                                        at::get_cpu_capability(),
                                        at::get_num_threads(),
                                        model.device().str(),
                                        part.layers,
                                        c10::toString(part.layout.dtype),
                                        part.layout.max_length,
                                        part.layout.first_piece,
                                        write_model_config(model.config(), "")};
  hasher.add(circumstances.dump());
  for (const NamedTensor& weight : frozen_weights_of(model, part.layers)) {
    const Tensor values = weight.numbers().to(at::kCPU).contiguous();
    hasher.add(weight.name)
        .add({static_cast<const std::byte*>(values.const_data_ptr()), values.nbytes()});
  }
  return hasher.hex();
}

/// Documents in rows, in their order, whose states are written as the rows fill.
class StateMaker {
 public:
  StateMaker(Model& model, const FrozenPart& part, int64_t pad_id, StateWriter& writer)
      : model_(model), part_(part), writer_(writer) {
    options_.max_length = part.layout.max_length;
    options_.batch_size = std::max<int64_t>(1, tokens_at_once / options_.max_length);
    options_.pad_id = pad_id;
  }

  void add(DocumentRef document) {
    const auto length = static_cast<uint64_t>(options_.max_length);
    const uint64_t tokens = part_.layout.tokens_of(document.record());
    for (uint64_t begin = 0; begin < tokens; begin += length)
      place({document, begin, std::min(length, tokens - begin)});
  }

  /// Runs the rows that there are through the layers.
  void flush() {
    if (rows_.empty()) return;
    const Batch batch = assemble_batch(rows_, options_).to(model_.device());
    ModelInput input{batch.input_ids, batch.position_ids, batch.segment_ids};
    input.end_layer = part_.layers;
    const Tensor states = model_.hidden_states(input).to(at::kCPU);  // (B, T, D)
    for (size_t i = 0; i < rows_.size(); ++i) {
      int64_t tokens = 0;
      for (const RowPiece& piece : rows_[i]) tokens += static_cast<int64_t>(piece.length);
      writer_.add(states[static_cast<int64_t>(i)].narrow(0, 0, tokens));
    }
    rows_.clear();
  }

 private:
  void place(const RowPiece& piece) {
    if (rows_.empty() || piece.length > room_) {
      if (rows_.size() == static_cast<size_t>(options_.batch_size)) flush();
      rows_.emplace_back();
      room_ = static_cast<uint64_t>(options_.max_length);
    }
    rows_.back().push_back(piece);
    room_ -= piece.length;
  }

  Model& model_;
  const FrozenPart& part_;
  StateWriter& writer_;
  RowOptions options_;
  std::vector<Row> rows_;
  uint64_t room_ = 0;  // in the last row
};

/// States of some run that are kept.
struct KeptStates {
  fs::file_time_type used;
  fs::path path;
  uint64_t bytes;
};

std::vector<KeptStates> kept_in(const fs::path& folder) {
  std::vector<KeptStates> kept;
  std::error_code error;  // another process may remove some meanwhile
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().find(".tmp-") != std::string::npos) continue;
    const uint64_t bytes = fs::file_size(entry.path() / "states.bin", error);
    if (error) continue;
    const fs::file_time_type used = fs::last_write_time(entry.path(), error);
    if (!error) kept.push_back({used, entry.path(), bytes});
  }
  return kept;
}

/// What all states together may take: the limit, or what the disk has for them.
uint64_t room_for(const StateStore& store, const std::vector<KeptStates>& kept) {
  std::error_code error;
  const fs::space_info disk = fs::space(store.folder.parent_path(), error);
  if (error) return store.limit;
  uint64_t sum = disk.available;
  for (const KeptStates& each : kept) sum += each.bytes;
  return std::min(store.limit, sum);
}

/// Removes what was not used for the longest time until there is room for `bytes` more.
void make_room(const StateStore& store, uint64_t bytes) {
  std::vector<KeptStates> kept = kept_in(store.folder);
  const uint64_t room = room_for(store, kept);
  uint64_t sum = bytes;
  for (const KeptStates& each : kept) sum += each.bytes;
  std::ranges::sort(kept, {}, &KeptStates::used);
  for (const KeptStates& old : kept) {
    if (sum <= room) return;
    file_ops().remove_all(old.path);
    sum -= old.bytes;
  }
}

std::string size_text(uint64_t bytes) {
  const auto number = static_cast<double>(bytes);
  return bytes < 100'000'000 ? format("{:.3g} MB", number / 1e6)
                             : format("{:.1f} GB", number / 1e9);
}

/// Why the states of a run's documents cannot be kept; empty if they can.
std::string obstacle_of(const Model& model, const FrozenPart& part, const Dataset& dataset,
                        const DataOptions& options, const StateStore& store) {
  for (const Pool& pool : dataset.train)
    if (options.packing && !pool.documents.keeps_all_whole())
      return "packing cuts texts at other places in each epoch; packing: false does not";
  const ModelConfig& config = model.config();
  if (config.output_router_logits.value_or(false) && config.router_aux_loss_coef > 0)
    return "the loss that balances experts needs all layers";
  if (part.bytes > store.limit)
    return format("it takes {}, frozen_cache_limit is {}", size_text(part.bytes),
                  size_text(store.limit));
  if (const uint64_t room = room_for(store, kept_in(store.folder)); part.bytes > room)
    return format("it takes {}, the disk has {} left for it", size_text(part.bytes),
                  size_text(room));
  return {};
}

}  // namespace

int64_t frozen_layers(Model& model, const std::vector<NamedTensor>& trained) {
  int64_t frozen = model.config().num_hidden_layers;
  std::set<const Tensor*> own, tensors;
  for (const NamedTensor& weight : model.named_tensors()) own.insert(weight.tensor);
  for (const NamedTensor& weight : trained) {
    tensors.insert(weight.tensor);
    const int64_t layer = layer_of(weight.name);
    const bool of_output = weight.name.find(".lm_head.") != std::string::npos;  // see Model::sites
    if (layer < 0 && !of_output && !own.contains(weight.tensor))
      return 0;  // an adapter at the embedding
    if (layer >= 0) frozen = std::min(frozen, layer);
  }
  for (const NamedTensor& weight : frozen_weights_of(model, frozen))
    if (tensors.contains(weight.tensor)) return 0;
  return frozen;
}

FrozenPart frozen_part(const Model& model, int64_t layers, const Dataset& dataset,
                       const DataOptions& options, const StateStore& store) {
  FrozenPart part{.layers = layers, .layout = {}, .sources = {}, .bytes = 0, .obstacle = {}};
  const auto add = [&](const DocumentSet& documents) {
    for (const auto& source : documents.sources())
      if (std::ranges::find(part.sources, source) == part.sources.end())
        part.sources.push_back(source);
  };
  bool whole = true;
  for (const Pool& pool : dataset.train) {
    whole = whole && pool.documents.keeps_all_whole();
    add(pool.documents);
  }
  add(dataset.validation);
  part.layout = {.hidden_size = model.config().hidden_size,
                 .dtype = model.compute_dtype(),
                 .max_length = options.max_length,
                 .first_piece = whole || options.truncation};
  for (const auto& source : part.sources) part.bytes += part.layout.bytes_of(*source);
  part.obstacle = obstacle_of(model, part, dataset, options, store);
  return part;
}

std::shared_ptr<const FrozenStates> frozen_states(Model& model, const FrozenPart& part,
                                                  const Dataset& dataset, const StateStore& store) {
  const Context keeping("keeping the output of the lowest {} layers", part.layers);
  require(part.obstacle.empty(), "it cannot be kept: {}", part.obstacle);
  const at::NoGradGuard no_grad;
  const std::string made_by = fingerprint(model, part);
  uint64_t done = 0;
  uint64_t all = part.bytes / part.layout.bytes_per_token();
  auto states = std::make_shared<FrozenStates>();
  states->layers = part.layers;
  for (const auto& source : part.sources) {
    std::shared_ptr<const StateCache> cache;
    MadeFolder folder{.parent = store.folder,
                      .key = content_hash(made_by + " " + source->key()),
                      .open = {},
                      .make = {}};
    folder.open = [&] {
      if (!fs::exists(folder.path())) return false;
      try {
        FileHashes hashes(folder.beside(".check.json"));
        cache =
            std::make_shared<StateCache>(folder.path(), folder.key, *source, part.layout, hashes);
        hashes.save();
      } catch (const Error&) {
        return false;
      }
      std::error_code of_others;  // whose files are used, but not touched
      fs::last_write_time(folder.path(), fs::file_time_type::clock::now(), of_others);
      return true;
    };
    folder.make = [&](const fs::path& work) {
      make_room(store, part.layout.bytes_of(*source));
      StateWriter writer(work, part.layout);
      StateMaker maker(model, part, dataset.pad_id, writer);
      for (uint64_t i = 0; i < source->documents(); ++i) {
        maker.add({source.get(), i});
        done += part.layout.tokens_of((*source)[i]);
        if (store.progress) store.progress(done, all);
      }
      maker.flush();
      writer.finish(folder.key);
    };
    const uint64_t before = done;
    open_or_make(folder);
    done = before + part.layout.bytes_of(*source) / part.layout.bytes_per_token();
    states->caches.emplace(source.get(), std::move(cache));
  }
  return states;
}

}  // namespace lathe
