#include "lathe/io/regex.h"

#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace lathe {
namespace {

TEST(Regex, means_the_whole_text) {
  EXPECT_TRUE(full_match("a|bc", "bc"));
  EXPECT_FALSE(full_match("a|b", "bc"));
  EXPECT_TRUE(full_match(R"(model\.layers\.\d+\..*_proj)", "model.layers.12.mlp.up_proj"));
  EXPECT_TRUE(full_match("", ""));
  EXPECT_FALSE(full_match("x", "x\n"));
}

TEST(Regex, takes_linear_time_or_is_refused) {
  EXPECT_FALSE(full_match("(a+)+b", std::string(100000, 'a')));
  for (const char* expression : {"(", R"((a)\1)", "(?=a)", "((a{1,999}){1,999}){1,999}", "\xff"})
    EXPECT_TRUE(says(message_of([&] { full_match(expression, "a"); }), "e")) << expression;
}

}  // namespace
}  // namespace lathe
