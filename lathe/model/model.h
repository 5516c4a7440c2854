// What everything outside lathe/model knows of a model.
#pragma once

#include <memory>

#include "lathe/base/tensor.h"
#include "lathe/model/config.h"
#include "lathe/model/generation_config.h"
#include "lathe/model/kept.h"
#include "lathe/model/kv_cache.h"
#include "lathe/model/site.h"
#include "lathe/model/walk.h"

namespace lathe {

/// What a forward pass reads. Letters: B rows, T positions.
struct ModelInput {
  Tensor input_ids;     // (B, T) int64
  Tensor position_ids;  // (B, T) int64; undefined: 0, 1, 2, ...
  Tensor segment_ids;   // (B, T) int32, ascending in each row; attention stays within a segment;
                        // undefined: one segment a row
  /// (B) positions of each row that are no padding behind its text; empty: all. Nobody sees
  /// padding, and a cache grows by these alone.
  std::vector<int64_t> counts = {};
  /// The layers to run, without a cache: from `first_layer`, which reads `states` (B, T,
  /// hidden_size) instead of the embeddings if it is not 0, to before `end_layer`, whose input is
  /// then the result.
  Tensor states = {};
  int64_t first_layer = 0;
  std::optional<int64_t> end_layer = {};
  AdapterInput adapters = {};
  Tensor embedding_noise = {};  // (B, T, hidden_size), added to the embeddings; undefined: nothing
};

/// What a forward pass gives.
struct ModelOutput {
  Tensor hidden;  // (B, T, hidden_size) after the last norm, or what `end_layer` would read
  std::vector<Tensor> router_logits;  // (B*T, experts) of each layer that has experts
};

/// A causal language model.
class Model {
 public:
  virtual ~Model() = default;

  /// One pass over the input, in the compute dtype. With a cache the input continues what the cache
  /// holds (segments are not for then), and is added to it.
  virtual ModelOutput forward(const ModelInput& input, KvCache* cache) = 0;
  /// The hidden states of `forward` alone: (B, T, hidden_size).
  Tensor hidden_states(const ModelInput& input, KvCache* cache = nullptr) {
    return forward(input, cache).hidden;
  }
  /// The weight that makes logits of hidden states: (vocab_size, hidden_size). The input embedding
  /// itself where both are tied, or there is none because the model is a classifier.
  virtual const Tensor& output_weight() const = 0;
  /// Every weight once, under its Hugging Face name.
  std::vector<NamedTensor> named_tensors();
  /// Every place where adapters may sit, each layer before what is in it, the output layer last.
  std::vector<Site> sites();
  /// What each layer keeps of a token for the backward pass.
  virtual std::vector<Kept> kept() const = 0;
  /// The standard deviation that a weight (not a norm or bias) of a new model is drawn with.
  virtual double initial_deviation(const std::string& /*weight*/) const {
    return config_.initializer_range;
  }

  const ModelConfig& config() const { return config_; }
  ModelConfig& mutable_config() { return config_; }
  /// How its makers let it write; kept with the model when it is saved.
  const GenerationConfig& generation_config() const { return generation_config_; }
  void set_generation_config(GenerationConfig config) { generation_config_ = std::move(config); }
  /// The dtype of activations; weights are kept as they are and rounded where they are used.
  at::ScalarType compute_dtype() const { return compute_dtype_; }
  void set_compute_dtype(at::ScalarType dtype) { compute_dtype_ = dtype; }
  /// Activations of a layer are computed again in the backward pass instead of being kept.
  void set_gradient_checkpointing(bool on) { gradient_checkpointing_ = on; }

  /// logits = hidden W^T, capped if the model does so: (..., hidden_size) -> (..., vocab_size).
  Tensor logits(const Tensor& hidden) const;
  /// The sum over rows of -log softmax(logits)[target], without keeping the logits: hidden (N,
  /// hidden_size), targets (N) int64 -> scalar float64. `gradient`: see linear_cross_entropy.
  /// `adapters`: what the forward pass said to them, for those at the output layer.
  Tensor cross_entropy(const Tensor& hidden, const Tensor& targets,
                       std::optional<double> gradient = {},
                       const AdapterInput& adapters = {}) const;
  /// -log softmax(logits)[target] of each row, without gradient and without keeping the logits:
  /// hidden (N, hidden_size), targets (N) int64 -> (N) at least float32.
  Tensor cross_entropy_rows(const Tensor& hidden, const Tensor& targets) const;
  /// The outputs of a classifier: hidden (N, hidden_size) -> (N, labels), at least float32.
  Tensor class_logits(const Tensor& hidden) const;
  /// Whether the model has an output for each label of its configuration instead of each token.
  bool is_classifier() const { return !config_.labels.empty(); }
  /// Whether one weight is embedding and output layer.
  bool ties_embeddings() const { return config_.tie_word_embeddings && !is_classifier(); }
  /// An empty cache for `rows` rows of up to `slots` positions.
  KvCache new_cache(int64_t rows, int64_t slots) const;
  int64_t parameter_count();
  /// What the weights take in memory.
  uint64_t weight_bytes();
  at::Device device();
  void to(at::Device device);
  /// Quantised weights stay as they are.
  void to(at::ScalarType dtype);

 protected:
  explicit Model(ModelConfig config);
  /// The weights of the language model; a classifier has no output layer over tokens.
  virtual std::vector<NamedTensor> own_tensors() = 0;
  /// The sites below the output layer.
  virtual std::vector<Site> own_sites() = 0;

  ModelConfig config_;
  GenerationConfig generation_config_;
  at::ScalarType compute_dtype_ = at::kFloat;
  bool gradient_checkpointing_ = false;

 private:
  /// `cross_entropy` with adapters at the output layer.
  Tensor adapted_cross_entropy(const Tensor& hidden, const Tensor& targets,
                               const AdapterInput& adapters) const;

  Tensor score_;             // (labels, hidden_size) of a classifier
  AdapterSlot output_slot_;  // of the output layer
};

/// A model of a family in the table, with weights as published for its family, drawn from the
/// stream (seed, name of the weight).
std::unique_ptr<Model> new_model(const ModelConfig& config, uint64_t seed,
                                 at::ScalarType dtype = at::kFloat);

/// What a weight of a new model begins with, float32 on the CPU: norms multiply by one, biases are
/// zeros, everything else is normal with the model's standard deviation (transformers,
/// `_init_weights` of the families), drawn from the stream (seed, name).
Tensor new_weight(const NamedTensor& weight, const Model& model, uint64_t seed);

/// A model without values in its weights (on the meta device), to be filled.
std::unique_ptr<Model> empty_model(const ModelConfig& config);

}  // namespace lathe
