#include "lathe/data/split.h"

#include "lathe/base/error.h"
#include "lathe/base/random.h"

namespace lathe {

bool is_held_out(uint64_t text_hash, double fraction, uint64_t seed) {
  return Random(stream_seed(seed, "validation split", text_hash)).uniform() < fraction;
}

Split split_documents(std::shared_ptr<const TokenCache> cache, double fraction, uint64_t seed) {
  require(fraction >= 0 && fraction < 1, "validation_split: expected a share in [0, 1), found {}",
          fraction);
  Split split;
  if (fraction == 0) {
    split.train.add(std::move(cache));
    return split;
  }
  require(cache->documents() <= uint64_t{UINT32_MAX},
          "validation_split: at most {} documents a source, found {}: split the source", UINT32_MAX,
          cache->documents());
  std::vector<uint32_t> train;
  std::vector<uint32_t> validation;
  for (uint32_t i = 0; i < cache->documents(); ++i)
    (is_held_out((*cache)[i].text_hash, fraction, seed) ? validation : train).push_back(i);
  train.shrink_to_fit();
  validation.shrink_to_fit();
  split.train.add(cache, std::move(train));
  split.validation.add(std::move(cache), std::move(validation));
  return split;
}

}  // namespace lathe
