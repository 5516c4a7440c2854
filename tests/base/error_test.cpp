#include "lathe/base/error.h"

#include <gtest/gtest.h>

#include <functional>

namespace lathe {
namespace {

std::string nested_message(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return describe(error);
  }
  return "no error";
}

TEST(Error, carries_the_chain_of_what_was_being_done) {
  EXPECT_EQ(nested_message([] {
              Context outer("reading {}", "a.json");
              Context inner("\"{}\"", "r");
              fail("expected an integer >= 1, found {}", "\"eight\"");
            }),
            "reading a.json: \"r\": expected an integer >= 1, found \"eight\"");
}

TEST(Error, notes_end_with_their_scope) {
  { Context done("over"); }
  EXPECT_EQ(nested_message([] { fail("now"); }), "now");
}

TEST(Error, foreign_exceptions_get_the_notes_too) {
  EXPECT_EQ(nested_message([] {
              Context doing("loading");
              throw std::runtime_error("boom\nException raised from somewhere\nframe #0");
            }),
            "loading: boom");
  EXPECT_EQ(nested_message([] { throw std::runtime_error("alone"); }), "alone");
}

TEST(Nearest, finds_a_typo_and_nothing_far) {
  const std::vector<std::string> names = {"learning_rate", "max_steps", "seed"};
  EXPECT_EQ(nearest("lerning_rate", names), "learning_rate");
  EXPECT_EQ(nearest("max_step", names), "max_steps");
  EXPECT_EQ(nearest("quantization", names), "");
}

}  // namespace
}  // namespace lathe
