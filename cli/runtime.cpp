#include "cli/runtime.h"

#include <cstdlib>

namespace lathe {

void RuntimeOptions::fields(Fields& f) {
  f.group("Machine");
  f("device", device, "Where to compute.", {.choices = {"cpu", "cuda"}});
  f("threads", threads, "Threads on the CPU; 0: one a core.", {.minimum = 0, .maximum = 4096});
}

at::Device RuntimeOptions::apply() const {
  if (threads > 0) at::set_num_threads(static_cast<int>(threads));
  if (device == "cpu") return at::kCPU;
  require(
      at::hasCUDA(),
      "--device cuda: found no GPU, or this build has no GPU support (build with `make CUDA=1`)");
  return {at::kCUDA, 0};
}

fs::path default_cache_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0')
    return fs::path(cache) / "lathe";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return fs::path(home) / ".cache" / "lathe";
  return fs::temp_directory_path() / "lathe-cache";
}

}  // namespace lathe
