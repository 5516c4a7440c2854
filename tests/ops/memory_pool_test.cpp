#include "lathe/ops/cpu/memory_pool.h"

#include <gtest/gtest.h>

#include <thread>

#include "lathe/base/tensor.h"

namespace lathe {
namespace {

using ops::cpu::pool_memory;

/// A tensor of so many bytes.
Tensor bytes_of_pool(int64_t count) {
  return at::empty({count}, at::kByte);
}

struct MemoryPool : testing::Test {
  void SetUp() override { ops::cpu::use_memory_pool(); }
};

TEST_F(MemoryPool, gives_the_same_memory_for_the_same_size) {
  const void* first = bytes_of_pool(1 << 20).data_ptr();
  EXPECT_EQ(bytes_of_pool(1 << 20).data_ptr(), first);
  EXPECT_EQ(bytes_of_pool((1 << 20) - 100).data_ptr(), first) << "of nearly the same size";
  const Tensor used = bytes_of_pool(1 << 20);
  EXPECT_NE(bytes_of_pool(1 << 20).data_ptr(), used.data_ptr());
}

TEST_F(MemoryPool, leaves_small_tensors_alone) {
  const size_t before = pool_memory().held;
  const Tensor small = at::zeros({100}), nothing = at::empty({0});
  EXPECT_EQ(pool_memory().held, before);
  EXPECT_EQ(small.sum().item<float>(), 0);
}

TEST_F(MemoryPool, counts_what_is_used_and_returns_the_largest_at_once) {
  const ops::cpu::PoolMemory before = pool_memory();
  {
    const Tensor middle = at::zeros({3 << 18}), large = at::zeros({80 << 18});
    EXPECT_GE(pool_memory().used, before.used + (83 << 20));
    EXPECT_EQ((large.sum() + middle.sum()).item<float>(), 0);
  }
  EXPECT_EQ(pool_memory().used, before.used);
  EXPECT_LT(pool_memory().held, before.held + (4 << 20)) << "only the middle one is kept";
}

TEST_F(MemoryPool, gives_back_sizes_that_are_asked_for_no_more) {
  for (int64_t kilobytes = 100; kilobytes < 20'000; kilobytes += 150)
    bytes_of_pool(kilobytes << 10).fill_(1);
  // All sizes together are 1.3 GB, and one at a time is used.
  EXPECT_LT(pool_memory().held, size_t{100} << 20);
  const Tensor again = bytes_of_pool(100 << 10).fill_(2);
  EXPECT_EQ(again.sum().item<int64_t>(), 2 * (100 << 10));
}

TEST_F(MemoryPool, serves_threads_and_tensors_that_others_made) {
  std::vector<Tensor> made(8);
  std::vector<std::thread> threads;
  for (int64_t t = 0; t < 8; ++t)
    threads.emplace_back([t, &made] {
      for (int round = 0; round < 50; ++round)
        made[static_cast<size_t>(t)] = bytes_of_pool((t + 1) << 18).fill_(t);
    });
  for (std::thread& thread : threads) thread.join();
  for (int64_t t = 0; t < 8; ++t)
    EXPECT_EQ(made[static_cast<size_t>(t)].eq(t).all().item<bool>(), true) << t;
}

}  // namespace
}  // namespace lathe
