// Several adapters in one model, of which each row of a batch uses its own.
#pragma once

#include "lathe/adapt/adapter.h"

namespace lathe {

/// Adapters that AdapterInput::rows chooses between by their places here. A forward pass of the
/// model serves all rows: at each site the numbers of their adapters lie behind each other, and one
/// batched product does what all of them do.
class RowAdapters {
 public:
  /// Takes the modules of the adapters out of their model, and puts what chooses between them in
  /// their place. Throws Error for an adapter that has weights of the model of its own
  /// (modules_to_save, bias), which rows cannot share.
  explicit RowAdapters(const std::vector<std::unique_ptr<Adapter>>& adapters);
  ~RowAdapters();
  RowAdapters(const RowAdapters&) = delete;
  RowAdapters& operator=(const RowAdapters&) = delete;

 private:
  std::vector<std::pair<AdapterSlot*, std::shared_ptr<const SiteAdapter>>> placed_;
};

}  // namespace lathe
