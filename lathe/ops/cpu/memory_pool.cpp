#include "lathe/ops/cpu/memory_pool.h"

#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <sys/mman.h>

#include <bit>
#include <cstring>
#include <mutex>
#include <new>
#include <unordered_map>

#include "lathe/base/tensor.h"

namespace lathe::ops::cpu {
namespace {

constexpr size_t smallest_block = size_t{1} << 16;  // less is left to the allocator of libtorch
constexpr size_t page = size_t{1} << 12;
constexpr size_t huge_page = size_t{1} << 21;
constexpr size_t slab_size = size_t{1} << 28;
constexpr size_t largest_kept = size_t{1} << 25;  // more goes back to the system at once
// A block is idle that was not used while such a share of what is in use was given out.
constexpr size_t idle_share = 4;
constexpr uint8_t priority = 100;  // of allocators; libtorch's own has 0

/// Sixteen sizes for each power of two: at most a sixteenth is unused, and never touched.
size_t rounded_size(size_t bytes) {
  const size_t step = std::max(page, std::bit_floor(bytes) / 16);
  return (bytes + step - 1) / step * step;
}

/// `size` bytes, a multiple of a page, by huge pages where the system has them: they are cleared in
/// fewer, larger pieces.
std::byte* map_memory(size_t size) {
  const size_t more = size + huge_page;
  void* mapped = mmap(nullptr, more, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* begin = static_cast<std::byte*>(mapped);
  const size_t before = huge_page - reinterpret_cast<uintptr_t>(mapped) % huge_page;
  munmap(begin, before);
  if (before < huge_page) munmap(begin + before + size, huge_page - before);
  madvise(begin + before, size, MADV_HUGEPAGE);
  return begin + before;
}

class MemoryPool final : public c10::Allocator {
 public:
  /// Lives until the process ends: tensors may outlive everything else.
  static MemoryPool& instance() {
    static auto* pool = new MemoryPool;
    return *pool;
  }

  c10::DataPtr allocate(size_t bytes) override {
    void* memory = nullptr;
    if (bytes >= smallest_block)
      memory = take(rounded_size(bytes));
    else if (bytes > 0)
      memory = c10::alloc_cpu(bytes);
    return {memory, memory, &give_back, c10::Device(c10::DeviceType::CPU)};
  }

  // Who wants bare memory gives a pointer back, and nothing else.
  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }

  void copy_data(void* to, const void* from, size_t count) const override {
    std::memcpy(to, from, count);
  }

  PoolMemory memory() {
    const std::scoped_lock lock(mutex_);
    return {used_, held_};
  }

 private:
  struct Block {
    std::byte* memory;
    uint64_t idle_since;  // by given_out_
    bool empty = false;   // the system took its memory
  };

  static void give_back(void* memory) {
    if (!instance().give(memory)) c10::free_cpu(memory);
  }

  std::byte* take(size_t size) {
    const std::scoped_lock lock(mutex_);
    given_out_ += size;
    used_ += size;
    std::vector<Block>& blocks = free_[size];
    const Block block = blocks.empty() ? grow(size) : blocks.back();
    if (!blocks.empty()) blocks.pop_back();
    if (block.empty) held_ += size;
    sizes_[block.memory] = size;
    return block.memory;
  }

  /// Whether the memory is of the pool.
  bool give(void* memory) {
    const std::scoped_lock lock(mutex_);
    const auto found = sizes_.find(static_cast<std::byte*>(memory));
    if (found == sizes_.end()) return false;
    const size_t size = found->second;
    sizes_.erase(found);
    used_ -= size;
    if (size > largest_kept) {
      munmap(memory, size);
      held_ -= size;
      return true;
    }
    free_[size].push_back({static_cast<std::byte*>(memory), given_out_});
    return true;
  }

  /// A new block. What is idle goes back to the system first: texts of other lengths need other
  /// sizes. Before one of the largest everything that is not used does: that is where memory peaks.
  Block grow(size_t size) {
    release_idle(size);
    held_ += size;
    if (size > largest_kept) return {map_memory(size), given_out_};
    if (left_ < size) {
      next_ = map_memory(slab_size);
      left_ = slab_size;
    }
    const Block block{next_, given_out_};
    next_ += size;
    left_ -= size;
    return block;
  }

  void release_idle(size_t wanted) {
    const uint64_t idle = wanted > largest_kept ? 0 : used_ / idle_share;
    size_t released = 0;
    for (auto& [size, blocks] : free_)
      for (Block& block : blocks) {
        if (released >= wanted) return;
        if (block.empty || given_out_ - block.idle_since <= idle) continue;
        madvise(block.memory, size, MADV_DONTNEED);
        block.empty = true;
        held_ -= size;
        released += size;
      }
  }

  std::mutex mutex_;
  std::map<size_t, std::vector<Block>> free_;     // by size
  std::unordered_map<std::byte*, size_t> sizes_;  // of what is used
  std::byte* next_ = nullptr;
  size_t left_ = 0;
  size_t used_ = 0, held_ = 0;
  uint64_t given_out_ = 0;
};

}  // namespace

void use_memory_pool() {
  c10::SetCPUAllocator(&MemoryPool::instance(), priority);
}

PoolMemory pool_memory() {
  return MemoryPool::instance().memory();
}

}  // namespace lathe::ops::cpu
