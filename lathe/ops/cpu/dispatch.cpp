#include "lathe/ops/cpu/kernels.h"

namespace lathe::ops::cpu {

extern const KernelTable generic;
#ifdef LATHE_X86
extern const KernelTable avx2;
extern const KernelTable avx512;
#endif

const KernelTable& kernels() {
#ifdef LATHE_X86
  static const bool has_avx512 =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  static const bool has_avx2 =
      __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  if (has_avx512) return avx512;
  if (has_avx2) return avx2;
#endif
  return generic;
}

}  // namespace lathe::ops::cpu
