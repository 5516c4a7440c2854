#include "lathe/data/random_source.h"

#include <nlohmann/json.hpp>

#include "lathe/base/random.h"
#include "lathe/io/json.h"

namespace lathe {

RandomSource::RandomSource(std::unique_ptr<Source> inner, std::string stream, uint64_t seed,
                           Add add)
    : inner_(std::move(inner)), stream_(std::move(stream)), seed_(seed), add_(std::move(add)) {}

std::vector<Batch> RandomSource::next(int64_t micro_batches) {
  std::vector<Batch> batches = inner_->next(micro_batches);
  for (Batch& batch : batches) add_(batch, stream_seed(seed_, stream_, batches_++));
  return batches;
}

nlohmann::json RandomSource::state() const {
  return {{"random_batches", batches_}, {"inner", inner_->state()}};
}

void RandomSource::restore(const nlohmann::json& state) {
  inner_->restore(get_object(state, "inner"));
  batches_ = static_cast<uint64_t>(get_int(state, "random_batches", 0));
}

std::unique_ptr<Source> with_dropout_seeds(std::unique_ptr<Source> source, uint64_t seed,
                                           int64_t rank) {
  return std::make_unique<RandomSource>(
      std::move(source), format("dropout {}", rank), seed,
      [](Batch& batch, uint64_t of_batch) { batch.dropout_seed = of_batch; });
}

}  // namespace lathe
