// The Lathe side of scripts/interop/safetensors_format.py, which gives LATHE_INTEROP: a folder with
// `in/`.
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "lathe/base/error.h"
#include "lathe/io/safetensors.h"

namespace lathe {
namespace {

TEST(SafetensorsInterop, copies_every_file_and_says_which_it_accepts) {
  const char* given = std::getenv("LATHE_INTEROP");
  if (given == nullptr) GTEST_SKIP() << "run by scripts/interop/safetensors_format.py";
  const fs::path folder = given;
  nlohmann::json verdicts = nlohmann::json::object();
  fs::create_directories(folder / "out");
  for (const fs::directory_entry& entry : fs::directory_iterator(folder / "in")) {
    const std::string name = entry.path().filename().string();
    try {
      const SafetensorsFile file(entry.path());
      std::vector<TensorView> tensors;
      for (const TensorInfo& tensor : file.tensors())
        tensors.push_back({tensor.name, tensor.dtype, tensor.shape, file.data(tensor)});
      write_safetensors(folder / "out" / name, tensors, file.metadata());
      verdicts[name] = "accepted";
    } catch (const Error& error) {
      verdicts[name] = error.what();
    }
  }
  EXPECT_FALSE(verdicts.empty());
  write_file_atomic(folder / "verdicts.json", verdicts.dump(1));
}

}  // namespace
}  // namespace lathe
