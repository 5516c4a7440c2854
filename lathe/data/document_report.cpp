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

json json_of(const NotedPlaces& places) {
  return {{"count", places.count}, {"examples", places.examples}};
}

NotedPlaces places_of(const json& object, const char* key) {
  const json& entry = get_object(object, key);
  NotedPlaces places{.count = get_count(entry, "count"), .examples = {}};
  for (const json& example : get_array(entry, "examples")) {
    require(example.is_string(), "\"examples\": expected strings, found {}", show_json(example));
    places.examples.push_back(example.get<std::string>());
  }
  return places;
}

}  // namespace

void NotedPlaces::add(const std::filesystem::path& file, uint64_t line) {
  ++count;
  if (examples.size() >= examples_kept) return;
  examples.push_back(line == 0 ? file.string() : format("{}:{}", file.string(), line));
}

NotedPlaces& NotedPlaces::operator+=(const NotedPlaces& other) {
  count += other.count;
  for (const std::string& example : other.examples)
    if (examples.size() < examples_kept) examples.push_back(example);
  return *this;
}

std::string NotedPlaces::text() const {
  return format("({}{})", fmt::join(examples, ", "), count > examples.size() ? ", ..." : "");
}

void DocumentReport::skip(SkipReason reason, const std::filesystem::path& file, uint64_t line) {
  skipped[static_cast<size_t>(reason)].add(file, line);
}

uint64_t DocumentReport::total_skipped() const {
  return std::accumulate(skipped.begin(), skipped.end(), uint64_t{0},
                         [](uint64_t sum, const NotedPlaces& entry) { return sum + entry.count; });
}

DocumentReport& DocumentReport::operator+=(const DocumentReport& other) {
  documents += other.documents;
  text_bytes += other.text_bytes;
  for (size_t i = 0; i < skip_reasons; ++i) skipped[i] += other.skipped[i];
  merged_prompts += other.merged_prompts;
  return *this;
}

std::string DocumentReport::summary() const {
  std::string text = format("{} documents, {} bytes", documents, text_bytes);
  if (total_skipped() > 0) {
    std::vector<std::string> parts;
    for (size_t i = 0; i < skip_reasons; ++i)
      if (const NotedPlaces& places = skipped[i]; places.count > 0)
        parts.push_back(format("{} {} {}", places.count, phrases[i], places.text()));
    text += format("; left out {}: {}", total_skipped(), fmt::join(parts, "; "));
  }
  if (merged_prompts.count > 0)
    text += format(
        "; {} prompts end inside a token {}, so that asked alone they read otherwise than they "
        "were "
        "learned: a space belongs to the beginning of the answer, not to the end of the prompt",
        merged_prompts.count, merged_prompts.text());
  return text;
}

json to_json(const DocumentReport& report) {
  json skipped = json::object();
  for (size_t i = 0; i < skip_reasons; ++i) skipped[keys[i]] = json_of(report.skipped[i]);
  return {{"documents", report.documents},
          {"text_bytes", report.text_bytes},
          {"skipped", std::move(skipped)},
          {"merged_prompts", json_of(report.merged_prompts)}};
}

DocumentReport report_from_json(const json& object) {
  DocumentReport report;
  report.documents = get_count(object, "documents");
  report.text_bytes = get_count(object, "text_bytes");
  const json& skipped = get_object(object, "skipped");
  for (size_t i = 0; i < skip_reasons; ++i) report.skipped[i] = places_of(skipped, keys[i]);
  report.merged_prompts = places_of(object, "merged_prompts");
  return report;
}

}  // namespace lathe
