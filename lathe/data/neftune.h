// NEFTune: noise on the embeddings while a model learns from instructions (Jain et al. 2023,
// arXiv:2310.05914). Letters: B rows, T positions, D hidden size.
#pragma once

#include <memory>

#include "lathe/data/source.h"

namespace lathe {

/// Noise for the embeddings of a batch, (B, T, D) float32 on the CPU: uniform in (-1, 1) times
/// alpha / sqrt(L * D), L being the tokens of the text at a position; none on padding.
Tensor neftune_noise(const Batch& batch, double alpha, int64_t hidden_size, uint64_t seed);

/// The batches of another source with such noise, a function of seed, rank and position.
class NoisySource final : public Source {
 public:
  NoisySource(std::unique_ptr<Source> inner, double alpha, int64_t hidden_size, uint64_t seed,
              int64_t rank = 0);

  std::vector<Batch> next(int64_t micro_batches) override;
  nlohmann::json state() const override;
  void restore(const nlohmann::json& state) override;
  double epoch() const override { return inner_->epoch(); }
  int64_t rows_per_epoch() const override { return inner_->rows_per_epoch(); }

 private:
  std::unique_ptr<Source> inner_;
  double alpha_;
  int64_t hidden_size_;
  uint64_t seed_;
  std::string stream_;
  uint64_t batches_ = 0;
};

}  // namespace lathe
