#pragma once

#include <cstddef>

namespace lathe::ops::cpu {

/// From now on larger tensors on the CPU get blocks of memory that are kept by their size when they
/// are no longer used. Training asks for the same sizes in every step: with a general allocator
/// what comes and goes between the activations leaves holes that nothing fits (a tenth of all
/// memory), and what it gives back to the system has to be cleared again in the next step.
void use_memory_pool();

/// Bytes of the pool in blocks that are used, and in all that it holds.
struct PoolMemory {
  size_t used, held;
};
PoolMemory pool_memory();

}  // namespace lathe::ops::cpu
