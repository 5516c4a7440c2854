#pragma once

#include <functional>
#include <memory>
#include <string>

#include "lathe/data/source.h"

namespace lathe {

/// The batches of another source, each with something random in it: what `add` makes of a batch and
/// a seed, which is a function of the run's seed, the name of the stream, and the batch's number.
class RandomSource final : public Source {
 public:
  using Add = std::function<void(Batch&, uint64_t seed)>;
  RandomSource(std::unique_ptr<Source> inner, std::string stream, uint64_t seed, Add add);

  std::vector<Batch> next(int64_t micro_batches) override;
  nlohmann::json state() const override;
  void restore(const nlohmann::json& state) override;
  double epoch() const override { return inner_->epoch(); }
  int64_t rows_per_epoch() const override { return inner_->rows_per_epoch(); }

 private:
  std::unique_ptr<Source> inner_;
  std::string stream_;
  uint64_t seed_;
  Add add_;
  uint64_t batches_ = 0;
};

/// The batches of another source with seeds for dropout.
std::unique_ptr<Source> with_dropout_seeds(std::unique_ptr<Source> source, uint64_t seed,
                                           int64_t rank = 0);

}  // namespace lathe
