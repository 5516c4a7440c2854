// GPT-NeoX (Black et al. 2022, arXiv:2204.06745) and Pythia: attention and MLP read the residual
// stream side by side, part of each head is rotated, and each head's query, key and value lie
// together in one matrix. Letters: B rows, T positions, D hidden size, F intermediate size, H
// heads, E elements a head.
#pragma once

#include "lathe/model/layer_stack.h"
#include "lathe/model/layers.h"

namespace lathe {

struct GptNeoxAttention {
  Linear query_key_value, dense;  // (H*3*E, D) (D, D)
  int64_t heads;
  ops::Scoring scoring;

  explicit GptNeoxAttention(const ModelConfig& config);
  Tensor operator()(const Tensor& x, const LayerInput& in, int64_t layer) const;
  Kept kept() const;
  void visit(auto&& v) {
    v("query_key_value", query_key_value);
    v("dense", dense);
  }
};

struct GptNeoxMlp {
  Linear dense_h_to_4h, dense_4h_to_h;  // (F, D) (D, F)
  ops::Activation activation;

  explicit GptNeoxMlp(const ModelConfig& config);
  Tensor operator()(const Tensor& x) const;  // (B, T, D) -> (B, T, D)
  Kept kept() const;
  void visit(auto&& v) {
    v("dense_h_to_4h", dense_h_to_4h);
    v("dense_4h_to_h", dense_4h_to_h);
  }
};

struct GptNeoxLayer {
  LayerNorm input_layernorm, post_attention_layernorm;
  GptNeoxAttention attention;
  GptNeoxMlp mlp;
  BlockSlots slots{.attention_name = "attention", .mlp_name = "mlp"};
  bool parallel;  // the MLP reads what attention reads; else what attention leaves

  explicit GptNeoxLayer(const ModelConfig& config);
  LayerOutput operator()(const Tensor& x, const LayerInput& in, int64_t layer) const;
  Kept kept() const;
  void visit(auto&& v) {
    v("input_layernorm", input_layernorm);
    v("post_attention_layernorm", post_attention_layernorm);
    v("attention", attention);
    v("mlp", mlp);
  }
};

class GptNeox final : public Model {
 public:
  explicit GptNeox(const ModelConfig& config);

  ModelOutput forward(const ModelInput& input, KvCache* cache) override;
  const Tensor& output_weight() const override;
  std::vector<Kept> kept() const override { return kept_by_layers(body_.layers); }

 protected:
  std::vector<NamedTensor> own_tensors() override;
  std::vector<Site> own_sites() override;

 private:
  /// The part that config.json's architecture calls `gpt_neox`.
  struct Body {
    Embedding embed_in;
    std::vector<GptNeoxLayer> layers;
    LayerNorm final_layer_norm;

    explicit Body(const ModelConfig& config);
    void visit(auto&& v) {
      v("embed_in", embed_in);
      v("layers", layers);
      v("final_layer_norm", final_layer_norm);
    }
  };

  /// `forward`, in which the keys of the cache have the angles they need.
  ModelOutput pass(const ModelInput& input, KvCache* cache);
  void visit(auto&& v) {
    v("gpt_neox", body_);
    v("embed_out", embed_out_);
  }
  friend void list_tensors<GptNeox>(GptNeox&, const std::string&, std::vector<NamedTensor>&);

  Body body_;
  std::optional<Linear> embed_out_;  // none where the embeddings are tied
  Rotary rotary_;
};

}  // namespace lathe
