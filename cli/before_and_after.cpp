#include "cli/before_and_after.h"

#include <nlohmann/json.hpp>

#include "lathe/base/format.h"
#include "lathe/io/rows.h"
#include "lathe/train/best.h"

namespace lathe {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view prefix = "eval_";

/// Losses say the same as perplexities, less plainly.
bool said_by_perplexity(const std::string& name, const Json& line) {
  constexpr std::string_view loss = "loss";
  return name.ends_with(loss) &&
         line.contains(name.substr(0, name.size() - loss.size()) + "perplexity");
}

/// How a measure changed: costs by a share, what is a share itself by the difference.
std::string change(const std::string& name, double before, double after) {
  if (smaller_is_better(name)) return format("{:+.1f} %", 100 * (after / before - 1));
  return format("{:+.4f}", after - before);
}

}  // namespace

std::string before_and_after(const std::filesystem::path& metrics, int64_t step) {
  if (!std::filesystem::exists(metrics)) return {};
  Json before, after;
  const auto lines = open_rows(metrics);
  while (std::optional<Json> line = lines->next()) {
    if (!line->contains("eval_loss") || !line->contains("step")) continue;
    if (before.is_null()) before = *line;
    if (line->at("step") == step) after = std::move(*line);
  }
  if (after.is_null() || before.at("step") == step) return {};
  std::string rows;
  for (const auto& [name, value] : before.items()) {
    const auto then = after.find(name);
    if (!name.starts_with(prefix) || then == after.end() || said_by_perplexity(name, before) ||
        !value.is_number() || !then->is_number())
      continue;
    const double old_value = value.get<double>(), new_value = then->get<double>();
    rows += format("\n  {:<28}{:>10.4f}{:>12.4f}{:>12}", name.substr(prefix.size()), old_value,
                   new_value, change(name, old_value, new_value));
  }
  const std::string steps[] = {format("step {}", before.at("step").dump()),
                               format("step {}", step)};
  return format("  {:<28}{:>10}{:>12}", "", steps[0], steps[1]) + rows;
}

}  // namespace lathe
