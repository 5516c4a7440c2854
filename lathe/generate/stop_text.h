#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lathe {

/// Text that grows piece by piece until one of the stop texts appears. What might be the beginning
/// of a stop text is held back until it is known.
class StopText {
 public:
  explicit StopText(std::vector<std::string> stops);
  /// Adds text; returns what has become final. After a stop text nothing is added any more.
  std::string add(std::string_view piece);
  /// Returns what was held back, when no more text comes.
  std::string finish();
  bool stopped() const { return stopped_; }
  /// All text before the stop text.
  const std::string& text() const { return text_; }

 private:
  std::vector<std::string> stops_;
  std::string text_;
  size_t given_ = 0;  // bytes of text_ returned so far
  bool stopped_ = false;
};

}  // namespace lathe
