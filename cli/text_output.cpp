#include "cli/text_output.h"

#include <unistd.h>

#include "cli/command.h"
#include "lathe/io/utf8.h"

namespace lathe {

TextOutput::TextOutput() : terminal_(::isatty(STDOUT_FILENO) == 1) {}

void TextOutput::add(std::string_view piece) {
  waiting_ += piece;
  const size_t whole = utf8_complete_prefix(waiting_);
  show(std::string_view(waiting_).substr(0, whole));
  waiting_.erase(0, whole);
}

void TextOutput::end_line() {
  show(waiting_ + "\n");
  waiting_.clear();
}

void TextOutput::show(std::string_view text) const {
  if (!text.empty()) print(stdout, terminal_ ? escape_controls(text) : std::string(text));
}

}  // namespace lathe
