#include "lathe/base/error.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace lathe {
namespace {

thread_local std::vector<std::string> notes;
thread_local std::string unwound;  // the notes that were active when the exception in flight began

std::string chain() {
  std::string text;
  for (const std::string& note : notes) text += note + ": ";
  return text;
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

Error::Error(std::string_view message) : std::runtime_error(chain().append(message)) {}

Context::Context(std::string note, std::nullptr_t) : exceptions_(std::uncaught_exceptions()) {
  if (exceptions_ == 0) unwound.clear();
  notes.push_back(std::move(note));
}

Context::~Context() {
  if (std::uncaught_exceptions() > exceptions_ && unwound.empty()) unwound = chain();
  notes.pop_back();
}

std::string describe(const std::exception& error) {
  std::string message = error.what();
  // c10::Error appends its C++ backtrace after this line.
  if (const size_t at = message.find("\nException raised from"); at != std::string::npos)
    message.resize(at);
  const std::string trail = std::exchange(unwound, {});
  if (dynamic_cast<const Error*>(&error) != nullptr) return message;
  return trail + message;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace lathe
