#include "lathe/generate/stop_text.h"

#include <gtest/gtest.h>

namespace lathe {
namespace {

TEST(StopText, holds_back_what_may_become_a_stop_text) {
  StopText text({"END"});
  EXPECT_EQ(text.add("one E"), "one ");
  EXPECT_EQ(text.add("N"), "");
  EXPECT_EQ(text.add("x"), "ENx");
  EXPECT_FALSE(text.stopped());
}

TEST(StopText, ends_before_the_first_stop_text) {
  StopText text({"END", "\n\n"});
  EXPECT_EQ(text.add("one\n"), "one");
  EXPECT_EQ(text.add("\ntwo END"), "");
  EXPECT_TRUE(text.stopped());
  EXPECT_EQ(text.text(), "one");
  EXPECT_EQ(text.add("more"), "");
}

TEST(StopText, gives_the_rest_at_the_end) {
  StopText text({"END"});
  EXPECT_EQ(text.add("abcEN"), "abc");
  EXPECT_EQ(text.finish(), "EN");
  EXPECT_EQ(text.text(), "abcEN");
}

TEST(StopText, finds_a_stop_text_that_arrives_byte_by_byte) {
  StopText text({"aab"});
  std::string out;
  for (const char c : std::string("xaaab")) out += text.add(std::string(1, c));
  EXPECT_EQ(out, "xa");
  EXPECT_TRUE(text.stopped());
}

}  // namespace
}  // namespace lathe
