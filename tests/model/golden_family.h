// A tiny random model of one family, and what transformers computed from it: see
// tests/golden/families.
#pragma once

#include <nlohmann/json.hpp>

#include "lathe/io/json.h"
#include "lathe/io/safetensors.h"
#include "lathe/model/files.h"
#include "tests/support/device.h"

namespace lathe {

/// What the model gives for ids (B, T), without gradients.
inline Tensor logits_of(Model& model, const Tensor& ids) {
  const at::NoGradGuard no_grad;
  return model.logits(model.hidden_states({ids, {}, {}}));
}

class GoldenFamily {
 public:
  explicit GoldenFamily(const std::string& name)
      : folder_(fs::path(LATHE_TEST_DATA) / "golden/families" / name),
        file_(folder_ / "golden.safetensors") {}

  const fs::path& folder() const { return folder_; }
  Tensor operator[](const std::string& name) const {
    const TensorInfo& info = file_.at(name);
    return on_test_device(tensor_of(info, file_.data(info)));
  }
  /// The weights' names, in the order of "norms" and "dots".
  std::vector<std::string> names() const {
    return load_json(folder_ / "golden.json").at("names").get<std::vector<std::string>>();
  }
  nlohmann::json config(const std::string& file = "config.json") const {
    return load_json(folder_ / file);
  }
  std::unique_ptr<Model> load(at::ScalarType dtype = at::kFloat) const {
    auto model = load_model(folder_, dtype);
    model->to(test_device());
    return model;
  }

  /// Every family there is, by the names of the folders.
  static std::vector<std::string> all() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(fs::path(LATHE_TEST_DATA) / "golden/families"))
      if (entry.is_directory()) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  fs::path folder_;
  SafetensorsFile file_;
};

inline double largest_difference(const Tensor& a, const Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

/// The likeliest continuation of each row by `count` tokens, over a cache that reads the prompt in
/// pieces of up to `piece` tokens.
inline Tensor greedy(Model& model, const Tensor& prompt, int64_t count, int64_t piece) {
  const at::NoGradGuard no_grad;
  KvCache cache = model.new_cache(prompt.size(0), prompt.size(1) + count);
  Tensor hidden;
  for (const Tensor& part : prompt.split(piece, 1))
    hidden = model.hidden_states({part, {}, {}}, &cache);
  std::vector<Tensor> tokens;
  while (true) {
    const Tensor last = hidden.select(1, hidden.size(1) - 1);
    tokens.push_back(model.logits(last).argmax(1, true));
    if (static_cast<int64_t>(tokens.size()) == count) return at::cat(tokens, 1);
    hidden = model.hidden_states({tokens.back(), {}, {}}, &cache);
  }
}

}  // namespace lathe
