// One fuzzer: libFuzzer with the target whose name is LATHE_FUZZ_TARGET.
#include <cstddef>
#include <cstdint>

#include "lathe/base/error.h"
#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const lathe::FuzzTarget* const target = lathe::find_fuzz_target(LATHE_FUZZ_TARGET);
  try {
    target->run({reinterpret_cast<const char*>(data), size});
  } catch (const lathe::Error&) {
  }
  return 0;
}
