#include "lathe/data/document_report.h"

#include <nlohmann/json.hpp>
#include <numeric>

#include "lathe/base/error.h"
#include "lathe/io/json.h"

namespace lathe {
namespace {

using nlohmann::json;

constexpr size_t examples_kept = 5;
constexpr const char* keys[skip_reasons] = {"empty", "invalid_utf8", "no_text", "no_tokens"};
constexpr const char* phrases[skip_reasons] = {"empty", "not UTF-8", "without text in the column",
                                               "without tokens"};

}  // namespace

void DocumentReport::skip(SkipReason reason, const std::filesystem::path& file, uint64_t line) {
  Skipped& entry = skipped[static_cast<size_t>(reason)];
  ++entry.count;
  if (entry.examples.size() >= examples_kept) return;
  entry.examples.push_back(line == 0 ? file.string() : format("{}:{}", file.string(), line));
}

uint64_t DocumentReport::total_skipped() const {
  return std::accumulate(skipped.begin(), skipped.end(), uint64_t{0},
                         [](uint64_t sum, const Skipped& entry) { return sum + entry.count; });
}

DocumentReport& DocumentReport::operator+=(const DocumentReport& other) {
  documents += other.documents;
  text_bytes += other.text_bytes;
  for (size_t i = 0; i < skip_reasons; ++i) {
    skipped[i].count += other.skipped[i].count;
    for (const std::string& example : other.skipped[i].examples)
      if (skipped[i].examples.size() < examples_kept) skipped[i].examples.push_back(example);
  }
  return *this;
}

std::string DocumentReport::summary() const {
  std::string text = format("{} documents, {} bytes", documents, text_bytes);
  if (total_skipped() == 0) return text;
  std::vector<std::string> parts;
  for (size_t i = 0; i < skip_reasons; ++i) {
    const auto& [count, examples] = skipped[i];
    if (count == 0) continue;
    const char* more = count > examples.size() ? ", ..." : "";
    parts.push_back(format("{} {} ({}{})", count, phrases[i], fmt::join(examples, ", "), more));
  }
  return text + format("; left out {}: {}", total_skipped(), fmt::join(parts, "; "));
}

json to_json(const DocumentReport& report) {
  json skipped = json::object();
  for (size_t i = 0; i < skip_reasons; ++i)
    skipped[keys[i]] = {{"count", report.skipped[i].count},
                        {"examples", report.skipped[i].examples}};
  return {{"documents", report.documents},
          {"text_bytes", report.text_bytes},
          {"skipped", std::move(skipped)}};
}

DocumentReport report_from_json(const json& object) {
  DocumentReport report;
  report.documents = get_count(object, "documents");
  report.text_bytes = get_count(object, "text_bytes");
  const json& skipped = get_object(object, "skipped");
  for (size_t i = 0; i < skip_reasons; ++i) {
    const json& entry = get_object(skipped, keys[i]);
    report.skipped[i].count = get_count(entry, "count");
    for (const json& example : get_array(entry, "examples")) {
      require(example.is_string(), "\"examples\": expected strings, found {}", show_json(example));
      report.skipped[i].examples.push_back(example.get<std::string>());
    }
  }
  return report;
}

}  // namespace lathe
