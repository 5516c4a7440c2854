#include "lathe/model/inspect.h"

#include <nlohmann/json.hpp>

#include "lathe/io/gguf.h"
#include "lathe/io/json.h"
#include "lathe/io/model_files.h"
#include "lathe/io/utf8.h"
#include "lathe/model/files.h"
#include "lathe/model/model.h"
#include "lathe/model/stored_weight.h"

namespace lathe {
namespace {

/// Parts of a model and what the names of their tensors contain; the first that fits counts.
constexpr struct {
  const char* part;
  const char* pattern;
} patterns[] = {
    {"output layer", "lm_head"},
    {"output layer", "embed_out"},
    {"embeddings", "embed"},
    {"embeddings", "wte"},
    {"embeddings", "wpe"},
    {"norms", "norm"},
    {"norms", "ln_"},
    {"experts", "expert"},
    {"router", "router"},
    {"router", "mlp.gate."},
    {"router", "moe.gate."},
    {"attention", "attn"},
    {"attention", "attention"},
    {"MLP", "mlp"},
    {"MLP", "moe"},
};
constexpr const char* order[] = {"embeddings", "attention", "MLP",          "experts",
                                 "router",     "norms",     "output layer", "other"};

std::string part_of(const std::string& tensor) {
  for (const auto& [part, pattern] : patterns)
    if (tensor.find(pattern) != tensor.npos) return part;
  return "other";
}

/// Runs `look`, and makes an error a problem of the report.
void look_at(ModelReport& report, const std::function<void()>& look) {
  try {
    look();
  } catch (const Error& error) {
    report.problems.push_back(describe(error));
  }
}

void count(const TensorSource& files, ModelReport& report) {
  std::map<std::string, int64_t> parts;
  for (const TensorInfo& tensor : files.tensors()) {
    int64_t elements = 1;
    for (const int64_t size : tensor.shape) elements *= size;
    parts[part_of(tensor.name)] += elements;
    report.stored[std::string(files.stored_type(tensor))] += files.stored_bytes(tensor);
  }
  report.tensors = files.tensors().size();
  for (const char* name : order)
    if (parts.contains(name)) report.parts.push_back({name, parts[name]});
}

/// Names the tensors that the configuration asks for and the files lack, or have in another shape.
void compare(const TensorSource& files, const ModelConfig& config, ModelReport& report) {
  const std::unique_ptr<Model> model = empty_model(config);
  constexpr size_t most = 5;
  std::vector<std::string> missing;
  for (const NamedTensor& weight : model->named_tensors()) {
    const auto found = find_weight(files, weight.name, config);
    if (!found) {
      missing.push_back(weight.name);
      continue;
    }
    const std::vector<int64_t> asked = found->shape_of(weight.tensor->sizes().vec());
    if (found->tensor->shape != asked)
      report.problems.push_back(format("tensor {}: config.json asks for the shape ({}), found ({})",
                                       found->tensor->name, fmt::join(asked, ", "),
                                       fmt::join(found->tensor->shape, ", ")));
  }
  if (missing.empty()) return;
  const size_t all = missing.size();
  missing.resize(std::min(all, most));
  report.problems.push_back(format("{} of the tensors that config.json asks for {} missing: {}{}",
                                   all, all == 1 ? "is" : "are", fmt::join(missing, ", "),
                                   all > most ? ", ..." : ""));
}

}  // namespace

int64_t ModelReport::parameters() const {
  int64_t sum = 0;
  for (const Part& part : parts) sum += part.parameters;
  return sum;
}

uint64_t ModelReport::stored_bytes() const {
  uint64_t sum = 0;
  for (const auto& [type, bytes] : stored) sum += bytes;
  return sum;
}

ModelReport inspect_model(const fs::path& path) {
  ModelReport report;
  if (is_gguf(path)) {  // one file, which is checked as a whole
    look_at(report, [&] {
      const StoredModel stored = open_stored_model(path);
      report.config = stored.config;
      count(*stored.weights, report);
    });
    return report;
  }
  std::unique_ptr<TensorSource> files;
  look_at(report, [&] {
    const Context reading("config.json");
    report.config = read_model_config(load_json(path / "config.json", 10'000'000));
  });
  look_at(report, [&] { report.generation = load_generation_config(path); });
  look_at(report, [&] {
    files = open_weights(path);
    count(*files, report);
  });
  if (files != nullptr && report.config)
    look_at(report, [&] { compare(*files, *report.config, report); });
  return report;
}

}  // namespace lathe
