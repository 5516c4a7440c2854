// What a model writes, on standard output.
#pragma once

#include <string>
#include <string_view>

namespace lathe {

/// Shows text as it comes, in whole characters. On a terminal, which they would drive, control
/// characters other than newline and tab are escaped (\u001b); a file or another program gets all
/// text as it is.
class TextOutput {
 public:
  /// Finds out whether standard output is a terminal.
  TextOutput();

  /// Shows a piece. What it has of a last character that it does not complete waits for the next.
  void add(std::string_view piece);
  /// Shows what waits, and a line break.
  void end_line();

 private:
  void show(std::string_view text) const;

  bool terminal_;
  std::string waiting_;  // the beginning of a character
};

}  // namespace lathe
