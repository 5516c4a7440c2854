// GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"): learned
// positions, LayerNorm before attention and MLP, and weights that are stored transposed. Letters: B
// rows, T positions, D hidden size, F intermediate size.
#pragma once

#include "lathe/model/layer_stack.h"
#include "lathe/model/layers.h"

namespace lathe {

/// A linear layer that keeps its weight as (in, out), as a convolution of width one does.
struct Conv1D {
  Tensor weight;  // (in, out)
  Tensor bias;    // (out)
  AdapterSlot slot;

  Conv1D(int64_t in, int64_t out);
  Tensor operator()(const Tensor& x) const;  // (..., in) -> (..., out)
  Site site(const std::string& name);
  void visit(auto&& v) {
    v("weight", weight);
    v("bias", bias);
  }
};

struct Gpt2Attention {
  Conv1D c_attn, c_proj;  // (D, 3D) queries, keys and values; (D, D)
  int64_t heads;
  ops::Scoring scoring;

  Gpt2Attention(const ModelConfig& config, int64_t layer);
  Tensor operator()(const Tensor& x, const LayerInput& in, int64_t layer) const;
  Kept kept() const;
  void visit(auto&& v) {
    v("c_attn", c_attn);
    v("c_proj", c_proj);
  }
};

struct Gpt2Mlp {
  Conv1D c_fc, c_proj;  // (D, F) (F, D)
  ops::Activation activation;

  explicit Gpt2Mlp(const ModelConfig& config);
  Tensor operator()(const Tensor& x) const;  // (B, T, D) -> (B, T, D)
  Kept kept() const;
  void visit(auto&& v) {
    v("c_fc", c_fc);
    v("c_proj", c_proj);
  }
};

struct Gpt2Block {
  LayerNorm ln_1;
  Gpt2Attention attn;
  LayerNorm ln_2;
  Gpt2Mlp mlp;
  BlockSlots slots{.attention_name = "attn", .mlp_name = "mlp"};

  Gpt2Block(const ModelConfig& config, int64_t layer);
  LayerOutput operator()(const Tensor& x, const LayerInput& in, int64_t layer) const;
  Kept kept() const;
  void visit(auto&& v) {
    v("ln_1", ln_1);
    v("attn", attn);
    v("ln_2", ln_2);
    v("mlp", mlp);
  }
};

class Gpt2 final : public Model {
 public:
  explicit Gpt2(const ModelConfig& config);

  ModelOutput forward(const ModelInput& input, KvCache* cache) override;
  const Tensor& output_weight() const override;
  std::vector<Kept> kept() const override { return kept_by_layers(body_.h); }
  /// What is added to the residual stream begins smaller, the deeper the model is.
  double initial_deviation(const std::string& weight) const override;

 protected:
  std::vector<NamedTensor> own_tensors() override;
  std::vector<Site> own_sites() override;

 private:
  /// The part that config.json's architecture calls `transformer`.
  struct Body {
    Embedding wte, wpe;  // of tokens and of positions
    std::vector<Gpt2Block> h;
    LayerNorm ln_f;

    explicit Body(const ModelConfig& config);
    void visit(auto&& v) {
      v("wte", wte);
      v("wpe", wpe);
      v("h", h);
      v("ln_f", ln_f);
    }
  };

  void visit(auto&& v) {
    v("transformer", body_);
    v("lm_head", lm_head_);
  }
  friend void list_tensors<Gpt2>(Gpt2&, const std::string&, std::vector<NamedTensor>&);

  Body body_;
  std::optional<Linear> lm_head_;  // none where the embeddings are tied
};

}  // namespace lathe
