#include "lathe/generate/stop_text.h"

#include <algorithm>

namespace lathe {
namespace {

/// The length of the longest end of `text` that is a beginning of `stop`, at most all but its last
/// byte.
size_t overlap(std::string_view text, std::string_view stop) {
  for (size_t n = std::min(text.size(), stop.size() - 1); n > 0; --n)
    if (text.ends_with(stop.substr(0, n))) return n;
  return 0;
}

}  // namespace

StopText::StopText(std::vector<std::string> stops) : stops_(std::move(stops)) {
  std::erase(stops_, "");
}

std::string StopText::add(std::string_view piece) {
  if (stopped_) return {};
  text_ += piece;
  size_t end = std::string::npos;
  size_t held = 0;
  for (const std::string& stop : stops_) {
    end = std::min(end, text_.find(stop, given_));
    held = std::max(held, overlap(text_, stop));
  }
  if (end != std::string::npos) {
    stopped_ = true;
    text_.resize(end);
    return finish();
  }
  const size_t from = given_;
  given_ = std::max(given_, text_.size() - held);
  return text_.substr(from, given_ - from);
}

std::string StopText::finish() {
  std::string rest = text_.substr(std::min(given_, text_.size()));
  given_ = text_.size();
  return rest;
}

}  // namespace lathe
