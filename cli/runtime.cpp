#include "cli/runtime.h"

#include <cstdlib>

namespace lathe {
namespace {

/// An environment variable that names a folder; nothing if it is not set or empty.
std::optional<fs::path> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

/// Has a GPU add in the same order in every run. Must come before the first product: cuBLAS reads
/// its variable when it starts.
void make_repeatable() {
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
  at::globalContext().setDeterministicFillUninitializedMemory(false);
}

}  // namespace

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
  make_repeatable();
  return {at::kCUDA, 0};
}

std::optional<at::ScalarType> dtype_named(const std::string& name) {
  if (name == "float32") return at::kFloat;
  if (name == "float64") return at::kDouble;
  if (name == "bfloat16") return at::kBFloat16;
  if (name == "float16") return at::kHalf;
  return std::nullopt;
}

fs::path default_cache_folder() {
  if (const auto cache = variable("XDG_CACHE_HOME")) return *cache / "lathe";
  if (const auto home = variable("HOME")) return *home / ".cache" / "lathe";
  return fs::temp_directory_path() / "lathe-cache";
}

fs::path hub_cache_folder() {
  if (const auto cache = variable("HF_HUB_CACHE")) return *cache;
  if (const auto home = variable("HF_HOME")) return *home / "hub";
  if (const auto cache = variable("XDG_CACHE_HOME")) return *cache / "huggingface" / "hub";
  if (const auto home = variable("HOME")) return *home / ".cache" / "huggingface" / "hub";
  return "huggingface";
}

}  // namespace lathe
