#include "lathe/model/site.h"

namespace lathe {
namespace {

thread_local const std::vector<int64_t>* rows_at_work = nullptr;

}  // namespace

RowsAtWork::RowsAtWork(const std::vector<int64_t>& rows) : before_(rows_at_work) {
  rows_at_work = &rows;
}

RowsAtWork::~RowsAtWork() {
  rows_at_work = before_;
}

const std::vector<int64_t>& RowsAtWork::now() {
  static const std::vector<int64_t> none;
  return rows_at_work != nullptr ? *rows_at_work : none;
}

const char* name_of(SiteKind kind) {
  switch (kind) {
    case SiteKind::embedding:
      return "embedding";
    case SiteKind::linear:
      return "linear";
    case SiteKind::attention:
      return "attention";
    case SiteKind::mlp:
      return "mlp";
    case SiteKind::block:
      return "block";
  }
  return "";
}

Tensor with_adapters(std::span<const std::shared_ptr<const SiteAdapter>> slot, const Tensor& x,
                     const SiteAdapter::Base& base) {
  const auto before = slot.first(slot.size() - 1);
  if (before.empty()) return (*slot.back())(x, base);
  return (*slot.back())(x, [&](const Tensor& h) { return with_adapters(before, h, base); });
}

}  // namespace lathe
