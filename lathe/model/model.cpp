#include "lathe/model/model.h"

#include "lathe/base/random.h"
#include "lathe/model/family/family.h"
#include "lathe/model/layers.h"
#include "lathe/model/recompute.h"
#include "lathe/model/rotary.h"
#include "lathe/ops/cross_entropy.h"
#include "lathe/ops/linear.h"
#include "lathe/ops/quantized.h"

namespace lathe {

namespace {

constexpr int64_t rows_a_chunk = 256;  // whose logits exist at a time

}  // namespace

Tensor new_weight(const NamedTensor& weight, const Model& model, uint64_t seed) {
  const at::NoGradGuard no_grad;
  const Tensor value = at::empty(weight.tensor->sizes(), at::kFloat);
  if (weight.name.ends_with(".bias")) return value.zero_();
  if (value.dim() == 1) return value.fill_(1 - model.config().norm_offset);
  at::Generator generator =
      at::detail::createCPUGenerator(stream_seed(seed, "init " + weight.name));
  return value.normal_(0, model.initial_deviation(weight.name), generator);
}

Model::Model(ModelConfig config) : config_(std::move(config)) {
  if (is_classifier())
    score_ = described({static_cast<int64_t>(config_.labels.size()), config_.hidden_size});
}

std::vector<NamedTensor> Model::named_tensors() {
  std::vector<NamedTensor> list = own_tensors();
  if (is_classifier()) list.push_back({"score.weight", &score_});
  return list;
}

Tensor Model::class_logits(const Tensor& hidden) const {
  require(is_classifier(), "the model is a language model: it has no outputs for labels");
  const at::ScalarType dtype = hidden.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return ops::linear(hidden.to(dtype), score_);
}

Tensor Model::logits(const Tensor& hidden) const {
  require(!is_classifier(), "the model classifies texts ({}): it has no outputs for tokens",
          fmt::join(config_.labels, ", "));
  const Tensor raw = adapted(output_slot_, hidden,
                             [this](const Tensor& h) { return ops::linear(h, output_weight()); });
  if (!config_.final_logit_softcapping) return raw;
  const double cap = *config_.final_logit_softcapping;
  return at::tanh(raw / cap) * cap;
}

Tensor Model::cross_entropy(const Tensor& hidden, const Tensor& targets,
                            std::optional<double> gradient, const AdapterInput& adapters) const {
  require(!is_classifier(), "the model classifies texts: it has no outputs for tokens");
  if (!output_slot_.empty()) return adapted_cross_entropy(hidden, targets, adapters);
  return ops::linear_cross_entropy(hidden, output_weight(), targets,
                                   config_.final_logit_softcapping.value_or(0), gradient);
}

Tensor Model::cross_entropy_rows(const Tensor& hidden, const Tensor& targets) const {
  const at::NoGradGuard no_grad;
  std::vector<Tensor> losses;
  for (int64_t begin = 0; begin < hidden.size(0); begin += rows_a_chunk) {
    const int64_t count = std::min(rows_a_chunk, hidden.size(0) - begin);
    losses.push_back(ops::cross_entropy_rows(logits(hidden.narrow(0, begin, count)),
                                             targets.narrow(0, begin, count)));
  }
  return at::cat(losses);
}

Tensor Model::adapted_cross_entropy(const Tensor& hidden, const Tensor& targets,
                                    const AdapterInput& adapters) const {
  Tensor sum = at::zeros({}, hidden.options().dtype(at::kDouble));
  for (int64_t begin = 0; begin < hidden.size(0); begin += rows_a_chunk) {
    const int64_t count = std::min(rows_a_chunk, hidden.size(0) - begin);
    AdapterInput of_chunk = adapters;
    if (adapters.dropout_seed)
      of_chunk.dropout_seed =
          stream_seed(*adapters.dropout_seed, "rows", static_cast<uint64_t>(begin));
    const Recomputable loss = [this, of_chunk, part = targets.narrow(0, begin, count)](
                                  const Tensor& h) -> std::vector<Tensor> {
      const AdapterInputAtWork at_work(of_chunk);
      const Tensor raw = logits(h);
      const Tensor wide = raw.to(at::promote_types(raw.scalar_type(), at::kFloat));
      return {at::cross_entropy_loss(wide, part, {}, at::Reduction::Sum).to(at::kDouble)};
    };
    const Tensor h = hidden.narrow(0, begin, count);
    sum = sum + (at::GradMode::is_enabled() ? recompute(loss, h) : loss(h)).at(0);
  }
  return sum;
}

std::vector<Site> Model::sites() {
  std::vector<Site> list = own_sites();
  if (is_classifier()) return list;
  for (const NamedTensor& weight : own_tensors())
    if (weight.tensor == &output_weight())
      list.push_back({.name = "lm_head",  // in all families, whatever files call its weight
                      .kind = SiteKind::output,
                      .in = config_.hidden_size,
                      .out = config_.vocab_size,
                      .slot = &output_slot_,
                      .weight = weight.tensor});
  return list;
}

KvCache Model::new_cache(int64_t rows, int64_t slots) const {
  KvCache cache;
  const at::TensorOptions options =
      at::TensorOptions().dtype(compute_dtype_).device(output_weight().device());
  const std::vector<int64_t> shape = {rows, config_.key_value_heads(), slots, config_.head_size()};
  for (int64_t layer = 0; layer < config_.num_hidden_layers; ++layer)
    // Not left as memory happens to be: attention on a GPU multiplies what a row does not see by 0.
    cache.layers.push_back({at::zeros(shape, options), at::zeros(shape, options)});
  cache.lengths.assign(static_cast<size_t>(rows), 0);
  if (depends_on_length(config_.rope_parameters)) {
    cache.tokens = at::zeros({rows, slots}, at::kLong);
    cache.regimes = cache.lengths;
  }
  return cache;
}

int64_t Model::parameter_count() {
  int64_t count = 0;
  for (const NamedTensor& weight : named_tensors()) count += weight.tensor->numel();
  return count;
}

uint64_t Model::weight_bytes() {
  uint64_t bytes = 0;
  for (const NamedTensor& weight : named_tensors()) bytes += ops::bytes_of(*weight.tensor);
  return bytes;
}

at::Device Model::device() {
  return output_weight().device();
}

void Model::to(at::Device device) {
  for (const NamedTensor& weight : named_tensors())
    *weight.tensor = ops::on_device(*weight.tensor, device);
}

void Model::to(at::ScalarType dtype) {
  for (const NamedTensor& weight : named_tensors())
    if (!ops::is_quantized(*weight.tensor)) *weight.tensor = weight.tensor->to(dtype);
}

std::unique_ptr<Model> empty_model(const ModelConfig& config) {
  const ModelConfig complete = complete_config(config);
  return family_of(complete.model_type).build(complete);
}

std::unique_ptr<Model> new_model(const ModelConfig& given, uint64_t seed, at::ScalarType dtype) {
  const Context making("making a new model");
  const ModelConfig config = complete_config(given);
  config.check();
  require(config.vocab_size > 0, "\"vocab_size\": expected an integer >= 1, found {}",
          config.vocab_size);
  require_spelled(config);
  std::unique_ptr<Model> model = empty_model(config);
  const at::NoGradGuard no_grad;
  for (const NamedTensor& weight : model->named_tensors())
    *weight.tensor = new_weight(weight, *model, seed).to(dtype);
  return model;
}

}  // namespace lathe
