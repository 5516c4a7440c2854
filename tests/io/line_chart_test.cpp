#include "lathe/io/line_chart.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lathe {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(LineChart, draws_what_is_finite_and_takes_means_of_very_many_points) {
  Series series{"a <b>", {{0, 1}, {1, NAN}, {2, 3}}};
  const std::string small = line_chart("step", {series});
  EXPECT_TRUE(holds(small, "a &lt;b>")) << small;
  EXPECT_FALSE(holds(small, "nan")) << small;
  for (int i = 3; i < 100'000; ++i) series.points.emplace_back(i, 1);
  EXPECT_LT(line_chart("step", {series}).size(), 20'000u);
}

TEST(LineChart, of_nothing_or_of_one_point_is_a_picture) {
  EXPECT_TRUE(holds(line_chart("step", {}), "</svg>"));
  const std::string one = line_chart("step", {{"a", {{7, 7}}}});
  EXPECT_TRUE(holds(one, "<circle")) << one;
  EXPECT_FALSE(holds(one, "nan")) << one;
}

}  // namespace
}  // namespace lathe
