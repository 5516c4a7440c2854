// The decoder of the Llama family (Touvron et al. 2023, arXiv:2302.13971) and of those that share
// its data flow, driven by the features of its configuration.
#pragma once

#include "lathe/model/decoder_layer.h"
#include "lathe/model/model.h"

namespace lathe {

class Decoder final : public Model {
 public:
  explicit Decoder(const ModelConfig& config);

  ModelOutput forward(const ModelInput& input, KvCache* cache) override;
  const Tensor& output_weight() const override;
  std::vector<Kept> kept() const override { return kept_by_layers(body_.layers); }

 protected:
  std::vector<NamedTensor> own_tensors() override;
  std::vector<Site> own_sites() override;

 private:
  /// The part that config.json's architecture calls `model`.
  struct Body {
    Embedding embed_tokens;
    std::vector<DecoderLayer> layers;
    RmsNorm norm;

    explicit Body(const ModelConfig& config);
    void visit(auto&& v) {
      v("embed_tokens", embed_tokens);
      v("layers", layers);
      v("norm", norm);
    }
  };

  Tensor embed(const Tensor& ids) const;
  /// `forward`, in which the keys of the cache have the angles they need.
  ModelOutput pass(const ModelInput& input, KvCache* cache);
  LayerInput layer_input(const ModelInput& input, KvCache* cache) const;
  void visit(auto&& v) {
    v("model", body_);
    v("lm_head", lm_head_);
  }
  friend void list_tensors<Decoder>(Decoder&, const std::string&, std::vector<NamedTensor>&);

  Body body_;
  std::optional<Linear> lm_head_;  // none where the embeddings are tied
  Rotary rotary_;
  std::optional<Rotary> local_rotary_;  // of local layers, if theirs differs
};

}  // namespace lathe
