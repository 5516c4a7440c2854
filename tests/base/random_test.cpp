#include "lathe/base/random.h"

#include <gtest/gtest.h>

#include <set>

namespace lathe {
namespace {

TEST(Random, streams_differ_by_name_and_index_and_repeat) {
  EXPECT_EQ(stream_seed(1, "shuffle", 3), stream_seed(1, "shuffle", 3));
  EXPECT_NE(stream_seed(1, "shuffle", 3), stream_seed(1, "shuffle", 4));
  EXPECT_NE(stream_seed(1, "shuffle"), stream_seed(1, "dropout"));
  EXPECT_NE(stream_seed(1, "shuffle"), stream_seed(2, "shuffle"));
}

TEST(Random, resumes_from_its_counter) {
  Random whole(7);
  for (int i = 0; i < 10; ++i) whole.next();
  Random resumed(7, whole.counter());
  EXPECT_EQ(whole.next(), resumed.next());
}

TEST(Random, uniform_fills_the_unit_interval_evenly) {
  Random random(3);
  double sum = 0;
  for (int i = 0; i < 100000; ++i) {
    const double u = random.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
  }
  EXPECT_NEAR(sum / 100000, 0.5, 0.005);
}

TEST(Permutation, visits_every_position_once) {
  for (const uint64_t n : {1, 2, 3, 5, 16, 17, 1000}) {
    const Permutation permutation(n, 42);
    std::set<uint64_t> seen;
    for (uint64_t i = 0; i < n; ++i) {
      const uint64_t p = permutation(i);
      EXPECT_LT(p, n);
      seen.insert(p);
    }
    EXPECT_EQ(seen.size(), n);
  }
}

TEST(Permutation, moves_most_positions_and_depends_on_the_seed) {
  const Permutation a(1000, 1);
  const Permutation b(1000, 2);
  int fixed = 0;
  int same = 0;
  for (uint64_t i = 0; i < 1000; ++i) {
    fixed += a(i) == i;
    same += a(i) == b(i);
  }
  EXPECT_LT(fixed, 20);
  EXPECT_LT(same, 20);
}

}  // namespace
}  // namespace lathe
