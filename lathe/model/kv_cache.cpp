#include "lathe/model/kv_cache.h"

namespace lathe {

void KvCache::keep_rows(const std::vector<int64_t>& rows) {
  const auto kept = [&](const std::vector<int64_t>& list) {
    std::vector<int64_t> left;
    left.reserve(rows.size());
    for (const int64_t row : rows) left.push_back(list.at(static_cast<size_t>(row)));
    return left;
  };
  const auto select = [&](Tensor& x) {
    x = x.index_select(0, at::tensor(rows, x.options().dtype(at::kLong)));
  };
  lengths = kept(lengths);
  for (Layer& layer : layers) {
    select(layer.k);
    select(layer.v);
  }
  if (!tokens.defined()) return;
  select(tokens);
  regimes = kept(regimes);
}

void KvCache::begin_with(const KvCache& other, int64_t positions) {
  for (size_t i = 0; positions > 0 && i < layers.size(); ++i) {
    layers[i].k.narrow(2, 0, positions).copy_(other.layers[i].k.narrow(2, 0, positions));
    layers[i].v.narrow(2, 0, positions).copy_(other.layers[i].v.narrow(2, 0, positions));
  }
  if (tokens.defined() && positions > 0) {
    tokens.narrow(1, 0, positions).copy_(other.tokens.narrow(1, 0, positions));
    for (size_t row = 0; row < regimes.size(); ++row)
      regimes[row] = other.regimes[other.regimes.size() == 1 ? 0 : row];
  }
  lengths.assign(lengths.size(), positions);
}

}  // namespace lathe
