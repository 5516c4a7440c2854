#include "lathe/adapt/row_adapters.h"

#include <algorithm>
#include <map>

namespace lathe {
namespace {

using Modules = std::vector<const SiteModule*>;  // of each row; null: none

/// What the tensors of a list have in each dimension at most, of those that are defined.
std::vector<int64_t> largest_shape(const std::vector<Tensor>& list) {
  std::vector<int64_t> shape;
  for (const Tensor& each : list) {
    if (!each.defined()) continue;
    shape.resize(static_cast<size_t>(each.dim()), 0);
    for (size_t d = 0; d < shape.size(); ++d)
      shape[d] = std::max(shape[d], each.size(static_cast<int64_t>(d)));
  }
  return shape;
}

/// The tensors behind each other, those that are smaller filled up with zeros, those that are
/// undefined with `idle`.
Tensor stacked(const std::vector<Tensor>& list, double idle) {
  const std::vector<int64_t> shape = largest_shape(list);
  if (shape.empty()) return {};  // nobody has any
  const auto like = std::ranges::find_if(list, [](const Tensor& t) { return t.defined(); });
  std::vector<Tensor> equal;
  for (const Tensor& each : list) {
    if (!each.defined()) {
      equal.push_back(at::full(shape, idle, like->options()));
      continue;
    }
    std::vector<int64_t> padding;  // from the last dimension on
    for (size_t d = shape.size(); d-- > 0;)
      padding.insert(padding.end(), {0, shape[d] - each.size(static_cast<int64_t>(d))});
    equal.push_back(at::constant_pad_nd(each, padding));
  }
  const Tensor all = at::stack(equal);
  return shape.size() == 1 ? all.unsqueeze(1) : all;
}

/// The numbers of the rows' modules, which are of one kind: those that all rows share as they are.
std::vector<Tensor> numbers_of(const Modules& rows, const SiteModule& any) {
  std::map<const SiteModule*, std::vector<Tensor>> of_module;
  for (const SiteModule* module : rows)
    if (module != nullptr && !of_module.contains(module)) of_module[module] = module->numbers();
  std::vector<Tensor> numbers;
  for (size_t i = 0; i < of_module.begin()->second.size(); ++i) {
    const Tensor& first = of_module.begin()->second[i];
    const bool same = std::ranges::all_of(of_module, [&](const auto& each) {
      const Tensor& t = each.second[i];
      return t.defined() && first.defined() && t.sizes() == first.sizes() &&
             t.const_data_ptr() == first.const_data_ptr();
    });
    const bool all = std::ranges::find(rows, nullptr) == rows.end();
    if (same && (all || !any.idle(i))) {
      numbers.push_back(first);
      continue;
    }
    std::vector<Tensor> of_rows;
    for (const SiteModule* module : rows)
      of_rows.push_back(module != nullptr ? of_module.at(module)[i] : Tensor());
    numbers.push_back(stacked(of_rows, any.idle(i).value_or(0)));
  }
  return numbers;
}

/// At one site, what each of the adapters has there; null: nothing.
class RowModules final : public SiteAdapter {
 public:
  explicit RowModules(std::vector<std::shared_ptr<SiteModule>> modules)
      : modules_(std::move(modules)) {}

  Tensor operator()(const Tensor& x, const Base& base) const override {
    const std::vector<int64_t>& rows = AdapterInputAtWork::now().rows;
    require(!rows.empty(), "this model has several adapters: expected which one each row uses");
    Base whole = base;
    for (const Part& part : parts_for(rows))
      whole = [inner = std::move(whole), part](const Tensor& h) {
        return part.any->compute(part.numbers, h, inner);
      };
    return whole(x);
  }

 private:
  /// The modules of one kind, and their numbers for the rows.
  struct Part {
    const SiteModule* any;
    std::vector<Tensor> numbers;
  };

  std::vector<Part> parts_for(const std::vector<int64_t>& rows) const {
    // Where adapters learn their numbers change, and gradients go through what is made of them.
    const bool learns = std::ranges::any_of(
        modules_, [](const auto& module) { return module != nullptr && module->learns(); });
    std::vector<double> strengths;
    for (const auto& module : modules_)
      strengths.push_back(module != nullptr ? module->strength : 0);
    if (!learns && rows == rows_ && strengths == strengths_) return parts_;
    std::map<std::pair<std::string, double>, Modules> kinds;
    for (size_t row = 0; row < rows.size(); ++row) {
      require(rows[row] >= -1 && rows[row] < static_cast<int64_t>(modules_.size()),
              "row {}: expected an adapter's number below {}, or -1 for none, found {}", row,
              modules_.size(), rows[row]);
      const SiteModule* module =
          rows[row] < 0 ? nullptr : modules_[static_cast<size_t>(rows[row])].get();
      if (module == nullptr) continue;
      Modules& list = kinds[{module->kind(), module->dropout()}];
      list.resize(rows.size(), nullptr);
      list[row] = module;
    }
    std::vector<Part> parts;
    for (const auto& [kind, list] : kinds) {
      const SiteModule& any = **std::ranges::find_if(list, [](auto* m) { return m != nullptr; });
      parts.push_back({&any, numbers_of(list, any)});
    }
    rows_ = learns ? std::vector<int64_t>() : rows;
    strengths_ = std::move(strengths);
    parts_ = learns ? std::vector<Part>() : parts;
    return parts;
  }

  std::vector<std::shared_ptr<SiteModule>> modules_;
  mutable std::vector<int64_t> rows_;      // those that `parts_` are for,
  mutable std::vector<double> strengths_;  // and of all modules
  mutable std::vector<Part> parts_;
};

}  // namespace

RowAdapters::RowAdapters(const std::vector<std::unique_ptr<Adapter>>& adapters) {
  std::map<AdapterSlot*, std::vector<std::shared_ptr<SiteModule>>> by_slot;
  for (size_t i = 0; i < adapters.size(); ++i) {  // before anything is taken out
    require(!adapters[i]->has_weights_of_model(),
            "adapter {}: it has weights of the model itself (modules_to_save or bias), which the "
            "rows of a batch cannot have each of their own",
            i + 1);
    for (const auto& module : adapters[i]->modules())
      require(
          !module->site().reads_tokens(),
          "adapter {}: {} reads tokens of all rows, so rows cannot choose an adapter there: give "
          "target_modules without experts, routers and the output layer",
          i + 1, module->site().name);
  }
  for (size_t i = 0; i < adapters.size(); ++i)
    for (const auto& module : adapters[i]->modules()) {
      AdapterSlot& slot = *module->site().slot;
      std::erase(slot, module);
      by_slot[&slot].resize(adapters.size());
      by_slot[&slot][i] = module;
    }
  for (auto& [slot, modules] : by_slot) {
    placed_.emplace_back(slot, std::make_shared<RowModules>(std::move(modules)));
    slot->push_back(placed_.back().second);
  }
}

RowAdapters::~RowAdapters() {
  for (const auto& [slot, modules] : placed_) std::erase(*slot, modules);
}

}  // namespace lathe
