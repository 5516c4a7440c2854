#include "lathe/model/files.h"

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_model.h"

namespace lathe {
namespace {

std::unique_ptr<Model> small_model() {
  return new_model(tiny_config(), 1);
}

TEST(LoadModel, maps_weights_that_are_stored_as_they_are_wanted) {
  const TemporaryFolder folder;
  const std::unique_ptr<Model> saved = small_model();
  save_model(*saved, folder.path());
  const std::unique_ptr<Model> mapped =
      load_model(folder.path(), std::nullopt, WeightMemory::mapped);
  const std::unique_ptr<Model> owned = load_model(folder.path());
  fs::remove(folder / "model.safetensors");  // the mapping keeps what it shows
  const std::vector<NamedTensor> expected = saved->named_tensors();
  const std::vector<NamedTensor> found = mapped->named_tensors();
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(at::equal(*found[i].tensor, *expected[i].tensor)) << expected[i].name;
    EXPECT_FALSE(found[i].tensor->storage().resizable());
  }
  const at::NoGradGuard no_grad;
  owned->named_tensors()[0].tensor->fill_(1);  // may be written to
}

TEST(LoadModel, copies_what_has_to_be_converted) {
  const TemporaryFolder folder;
  save_model(*small_model(), folder.path());
  const std::unique_ptr<Model> mapped =
      load_model(folder.path(), at::kBFloat16, WeightMemory::mapped);
  const at::NoGradGuard no_grad;
  for (const NamedTensor& weight : mapped->named_tensors()) {
    EXPECT_EQ(weight.tensor->scalar_type(), at::kBFloat16);
    weight.tensor->fill_(1);
  }
}

}  // namespace
}  // namespace lathe
