#include "lathe/model/model.h"

#include "lathe/base/random.h"
#include "lathe/model/decoder.h"
#include "lathe/ops/linear.h"

namespace lathe {
namespace {

/// Draws the weights of one kind: norms are ones, biases zeros, everything else is normal with the
/// configuration's standard deviation (transformers, `_init_weights` of the Llama family).
void initialise(const std::string& name, const Tensor& weight, double deviation, uint64_t seed) {
  if (name.ends_with(".bias")) {
    weight.zero_();
  } else if (weight.dim() == 1) {
    weight.fill_(1);
  } else {
    at::Generator generator = at::detail::createCPUGenerator(stream_seed(seed, "init " + name));
    weight.normal_(0, deviation, generator);
  }
}

}  // namespace

Tensor Model::logits(const Tensor& hidden) const {
  return ops::linear(hidden, output_weight());
}

KvCache Model::new_cache(int64_t rows, int64_t slots) const {
  KvCache cache;
  const at::TensorOptions options =
      at::TensorOptions().dtype(compute_dtype_).device(output_weight().device());
  const std::vector<int64_t> shape = {rows, config_.key_value_heads(), slots, config_.head_size()};
  for (int64_t layer = 0; layer < config_.num_hidden_layers; ++layer)
    cache.layers.push_back({at::empty(shape, options), at::empty(shape, options)});
  cache.lengths.assign(static_cast<size_t>(rows), 0);
  return cache;
}

int64_t Model::parameter_count() {
  int64_t count = 0;
  for (const NamedTensor& weight : named_tensors()) count += weight.tensor->numel();
  return count;
}

at::Device Model::device() {
  return output_weight().device();
}

void Model::to(at::Device device) {
  for (const NamedTensor& weight : named_tensors()) *weight.tensor = weight.tensor->to(device);
}

void Model::to(at::ScalarType dtype) {
  for (const NamedTensor& weight : named_tensors()) *weight.tensor = weight.tensor->to(dtype);
}

std::unique_ptr<Model> empty_model(const ModelConfig& config) {
  // The table of families: model_type -> builder.
  if (config.model_type == "llama") return std::make_unique<Decoder>(config);
  fail("model_type: supported families are: llama; found {}", config.model_type);
}

std::unique_ptr<Model> new_model(const ModelConfig& config, uint64_t seed, at::ScalarType dtype) {
  const Context making("making a new model");
  config.check();
  require(config.vocab_size > 0, "\"vocab_size\": expected an integer >= 1, found {}",
          config.vocab_size);
  std::unique_ptr<Model> model = empty_model(config);
  const at::NoGradGuard no_grad;
  for (const NamedTensor& weight : model->named_tensors()) {
    const Tensor value = at::empty(weight.tensor->sizes(), at::kFloat);
    initialise(weight.name, value, config.initializer_range, seed);
    *weight.tensor = value.to(dtype);
  }
  return model;
}

}  // namespace lathe
