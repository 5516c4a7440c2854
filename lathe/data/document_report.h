// What reading data came to: how many documents there are, and which were left out and why.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace lathe {

/// Why a document was left out.
enum class SkipReason {
  empty,         ///< no text, or nothing but white space
  invalid_utf8,  ///< bytes that are not UTF-8
  no_text,       ///< the column is null, or no string
  no_tokens,     ///< the tokenizer makes nothing of the text
};
inline constexpr size_t skip_reasons = 4;

/// Rows or files that something was noticed about.
struct NotedPlaces {
  uint64_t count = 0;
  std::vector<std::string> examples;  ///< the first few, as file:line

  /// `line` 0 stands for the whole file.
  void add(const std::filesystem::path& file, uint64_t line);
  NotedPlaces& operator+=(const NotedPlaces& other);
  /// For a person: `(a.txt:1, b.txt:7, ...)`.
  std::string text() const;
};

/// Counts of documents read and left out.
struct DocumentReport {
  uint64_t documents = 0;
  uint64_t text_bytes = 0;
  std::array<NotedPlaces, skip_reasons> skipped;
  /// Rows whose prompt ends inside a token of the row: asked by itself, it has other tokens there
  /// than those that the answer was learned behind.
  NotedPlaces merged_prompts;

  const NotedPlaces& operator[](SkipReason reason) const {
    return skipped[static_cast<size_t>(reason)];
  }
  /// Counts one document left out.
  void skip(SkipReason reason, const std::filesystem::path& file, uint64_t line);
  uint64_t total_skipped() const;
  DocumentReport& operator+=(const DocumentReport& other);
  /// For a person: `12900 documents, 4310000 bytes; left out 2: 2 not UTF-8 (a.txt:1, b.txt:7)`.
  std::string summary() const;
};

/// For the caches that keep a report. `report_from_json` throws Error for any other JSON.
nlohmann::json to_json(const DocumentReport& report);
DocumentReport report_from_json(const nlohmann::json& json);

}  // namespace lathe
