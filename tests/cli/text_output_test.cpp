// What a model writes, on a terminal and elsewhere.
#include "cli/text_output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "lathe/base/error.h"

namespace lathe {
namespace {

/// What `write` puts on standard output while that is a terminal, line ends as programs write them.
std::string on_terminal(const std::function<void()>& write) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  require(terminal >= 0 && ::grantpt(terminal) == 0 && ::unlockpt(terminal) == 0, "no terminal");
  const int end = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY);
  std::fflush(stdout);
  const int before = ::dup(STDOUT_FILENO);
  ::dup2(end, STDOUT_FILENO);
  write();
  std::fflush(stdout);
  ::dup2(before, STDOUT_FILENO);
  ::close(before);
  ::close(end);  // so that reading ends
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(terminal, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<size_t>(n));
  ::close(terminal);
  std::erase(text, '\r');  // which the terminal puts before each \n
  return text;
}

std::string in_file(const std::function<void()>& write) {
  testing::internal::CaptureStdout();
  write();
  return testing::internal::GetCapturedStdout();
}

void write_pieces(const std::vector<std::string>& pieces) {
  TextOutput out;
  for (const std::string& piece : pieces) out.add(piece);
  out.end_line();
}

// Clears the screen, renames the window, goes back over what was there, and ends with C1's CSI.
const std::string hostile = "a\033[2J\033]0;x\007b\b\r\x7F\xC2\x9B\ttab\nnext";

TEST(TextOutput, a_terminal_is_not_driven_by_what_a_model_writes) {
  const std::string shown = on_terminal([] { write_pieces({hostile}); });
  EXPECT_EQ(shown, "a\\u001b[2J\\u001b]0;x\\u0007b\\u0008\\u000d\\u007f\\u009b\ttab\nnext\n");
}

TEST(TextOutput, files_and_programs_get_what_the_model_wrote) {
  EXPECT_EQ(in_file([] { write_pieces({hostile}); }), hostile + "\n");
}

TEST(TextOutput, a_character_that_arrives_in_pieces_is_shown_whole) {
  const std::vector<std::string> pieces = {"caf\xC3", "\xA9 \xF0\x9F", "\x98", "\x80!"};
  EXPECT_EQ(on_terminal([&] { write_pieces(pieces); }), "café 😀!\n");
  EXPECT_EQ(in_file([&] { write_pieces(pieces); }), "café 😀!\n");
  EXPECT_EQ(in_file([] {
              TextOutput out;
              out.add("caf\xC3");
            }),
            "caf");
}

TEST(TextOutput, a_character_that_never_ends_is_shown_as_its_bytes) {
  EXPECT_EQ(on_terminal([] { write_pieces({"x\xE2\x82"}); }), "x\\xe2\\x82\n");
  EXPECT_EQ(in_file([] { write_pieces({"x\xE2\x82"}); }), "x\xE2\x82\n");
  EXPECT_EQ(on_terminal([] { write_pieces({"\x9B", "2J"}); }), "\\x9b2J\n");
}

}  // namespace
}  // namespace lathe
